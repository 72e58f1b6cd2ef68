import { entryOfKeyword } from "#converters/dicom/index.ts";
import type { RoutingRule, RulePredicate } from "#server/contract/index.ts";
import type { Sql } from "#server/database/index.ts";
import { checkQuestion, InvalidRequestError } from "#server/domain/index.ts";
import { askedPrompts } from "#server/jobs/index.ts";
import { compilePattern } from "./pattern.ts";
import { computedTags } from "./series-facts.ts";

/**
 * What the schema cannot see: that the attributes exist, the patterns compile, and the prompts can be asked.
 * @throws InvalidRequestError, InvalidPromptError
 */
export function checkRule({ when, ask }: RoutingRule): void {
  askedPrompts(ask);
  checkQuestion(ask);
  checkPredicate(when);
  if (ask.niftiSubfolder !== undefined && !ask.outputs?.includes("nifti")) {
    throw new InvalidRequestError("niftiSubfolder: nothing is written there without the output nifti.");
  }
}

/** @throws InvalidRequestError where masks would have nowhere to go */
export function refuseWithoutNiftiFolder({ ask }: Pick<RoutingRule, "ask">): void {
  if (!ask.outputs?.includes("nifti")) return;
  throw new InvalidRequestError(
    "outputs: nifti needs a folder that the administrator names: set PARSE3D_NIFTI_FOLDER, on this server and on all that do jobs.",
  );
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

/** That the database, whose clock counts, knows the rule's time zone. @throws InvalidRequestError */
export async function checkHours(sql: Sql, { onlyBetween }: Pick<RoutingRule, "onlyBetween">): Promise<void> {
  const timeZone = onlyBetween?.timeZone;
  if (timeZone === undefined) return;
  const [known] = await sql.query("select 1 from pg_timezone_names where lower(name) = lower($1)", [timeZone]);
  if (!known) throw new InvalidRequestError(`onlyBetween: the database knows no time zone ${timeZone}.`);
}
