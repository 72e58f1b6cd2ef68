import type { RuleTestView } from "#server/contract/index.ts";

/** How long machines would work on what rules ask, in all and by model. */
export function describeMinutes({
  estimatedMinutes,
  estimates = [],
}: Pick<RuleTestView, "estimatedMinutes" | "estimates">): readonly string[] {
  const each = estimates.map(
    ({ model = "any model", series, minutes }) =>
      `    ${model}: ${series} series, ${minutes === undefined ? "no job of it has succeeded yet" : `${minutes} minutes`}`,
  );
  if (estimatedMinutes === undefined) return each;
  return [`about ${estimatedMinutes} machine minutes, as jobs took so far`, ...each];
}
