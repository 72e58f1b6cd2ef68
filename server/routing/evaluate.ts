import type { RoutingRule, RulePredicate } from "#server/contract/index.ts";
import { compilePattern } from "./pattern.ts";
import { type SeriesFacts, valuesOf } from "./series-facts.ts";

/** What a rule makes of a series: it is for it, or the reasons why not. */
export type Verdict = { readonly matches: true } | { readonly matches: false; readonly because: readonly string[] };

/** Whether a rule is for a series; `enabled` and `settleSeconds` do not count. */
export function evaluate({ when, derived }: Pick<RoutingRule, "when" | "derived">, facts: SeriesFacts): Verdict {
  const because = [...(!derived && isDerived(facts) ? ["the images are DERIVED, and the rule is not for such"] : [])];
  const answer = holds(when, facts);
  because.push(...(answer.holds ? [] : answer.why));
  return because.length === 0 ? { matches: true } : { matches: false, because };
}

/** Image Type (0008,0008) value 1: pixel values that were computed from others (PS3.3 section C.7.6.1.1.2). */
export function isDerived({ tags }: SeriesFacts): boolean {
  return tags.get("ImageType")?.[0]?.toUpperCase() === "DERIVED";
}

/** `why` tells what would have to be otherwise. */
interface Answer {
  readonly holds: boolean;
  readonly why: readonly string[];
}

function holds(predicate: RulePredicate, facts: SeriesFacts): Answer {
  if ("all" in predicate) {
    const unmet = predicate.all.map((part) => holds(part, facts)).filter((answer) => !answer.holds);
    return unmet.length === 0 ? yes("everything holds") : no(...unmet.flatMap(({ why }) => why));
  }
  if ("any" in predicate) {
    const answers = predicate.any.map((part) => holds(part, facts));
    const met = answers.find((answer) => answer.holds);
    return met ? yes(...met.why) : no(`none of these: ${answers.flatMap(({ why }) => why).join("; ")}`);
  }
  if ("not" in predicate) {
    const answer = holds(predicate.not, facts);
    return answer.holds ? no(`excluded: ${answer.why.join("; ")}`) : yes(...answer.why);
  }
  return ask(predicate, facts);
}

type Condition = Extract<RulePredicate, { readonly tag: string }>;

function ask(condition: Condition, facts: SeriesFacts): Answer {
  const { tag } = condition;
  const values = valuesOf(tag, facts);
  const is = values.length === 0 ? `${tag} is absent` : `${tag} is ${shown(tag, values)}`;
  if ("exists" in condition) {
    return values.length > 0 === condition.exists ? yes(is) : no(is);
  }
  const { fits, wanted } = testOf(condition);
  return values.some(fits) ? yes(is) : no(`${is}, not ${wanted}`);
}

function testOf(condition: Exclude<Condition, { readonly exists: boolean }>): {
  readonly fits: (value: string) => boolean;
  readonly wanted: string;
} {
  if ("equals" in condition) {
    const wanted = [condition.equals].flat();
    const fits = (value: string) => wanted.some((one) => same(value, one));
    return { fits, wanted: wanted.map((one) => JSON.stringify(one)).join(" or ") };
  }
  if ("contains" in condition) {
    const part = folded(condition.contains);
    return {
      fits: (value) => folded(value).includes(part),
      wanted: `with ${JSON.stringify(condition.contains)} in it`,
    };
  }
  if ("matches" in condition) {
    const pattern = compilePattern(condition.matches);
    return { fits: (value) => pattern.test(value), wanted: `like /${condition.matches}/` };
  }
  const min = "min" in condition ? condition.min : Number.NEGATIVE_INFINITY;
  const max = "max" in condition ? condition.max : Number.POSITIVE_INFINITY;
  const fits = (value: string) => {
    const number = numberOf(value);
    return number !== undefined && number >= min && number <= max;
  };
  if (min === Number.NEGATIVE_INFINITY) return { fits, wanted: `at most ${max}` };
  return { fits, wanted: max === Number.POSITIVE_INFINITY ? `at least ${min}` : `from ${min} to ${max}` };
}

function same(value: string, wanted: string | number): boolean {
  return typeof wanted === "number" ? numberOf(value) === wanted : folded(value) === folded(wanted);
}

function folded(text: string): string {
  return text.normalize("NFC").trim().toLowerCase();
}

function numberOf(value: string): number | undefined {
  const number = value.trim() === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Attributes whose values are about the person are not repeated. */
const personal = /^(Patient|OtherPatient|Referring|Requesting|Performing|Operators|Accession|Institution|Physician)/;

function shown(tag: string, values: readonly string[]): string {
  return personal.test(tag) ? "another one" : values.map((value) => JSON.stringify(value.slice(0, 80))).join(", ");
}

function yes(...why: readonly string[]): Answer {
  return { holds: true, why };
}

function no(...why: readonly string[]): Answer {
  return { holds: false, why };
}
