import { entryOfKeyword } from "#converters/dicom/index.ts";
import type { RoutingRule, RulePredicate } from "#server/contract/index.ts";
import { InvalidRequestError, promptsFrom } from "#server/domain/index.ts";
import { compilePattern } from "./pattern.ts";
import { computedTags } from "./series-facts.ts";

/**
 * What the schema cannot see: that the attributes exist, the patterns compile, and the prompts can be asked.
 * @throws InvalidRequestError, InvalidPromptError
 */
export function checkRule({ when, ask }: RoutingRule): void {
  promptsFrom(ask.prompts.map((prompt) => (typeof prompt === "string" ? { text: prompt } : prompt)));
  checkPredicate(when);
}

function checkPredicate(predicate: RulePredicate): void {
  if ("all" in predicate) {
    for (const part of predicate.all) checkPredicate(part);
  } else if ("any" in predicate) {
    for (const part of predicate.any) checkPredicate(part);
  } else if ("not" in predicate) {
    checkPredicate(predicate.not);
  } else {
    if (!computedTags.some((name) => name === predicate.tag) && !entryOfKeyword(predicate.tag)) {
      throw new InvalidRequestError(
        `${predicate.tag} is no attribute of DICOM (PS3.6 lists their keywords), nor one of ${computedTags.join(", ")}.`,
      );
    }
    if ("matches" in predicate) compilePattern(predicate.matches);
    if ("min" in predicate && "max" in predicate && predicate.min > predicate.max) {
      throw new InvalidRequestError(`${predicate.tag}: min ${predicate.min} is above max ${predicate.max}.`);
    }
  }
}
