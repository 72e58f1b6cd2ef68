import type { Finding } from "#server/domain/index.ts";

/** One line for people: "left kidney: present, 0.97, 162 mL, 38 slices". */
export function describeFinding(finding: Finding): string {
  const { prompt, present, score, slices, volumeMl } = finding;
  const probability = score === null ? "" : `, ${score.toFixed(2)}`;
  const words = present
    ? `${prompt.text}: present${probability}, ${formatMl(volumeMl ?? 0)}, ${slices.length} slices`
    : `${prompt.text}: not found${score === null ? "" : ` (${score.toFixed(2)})`}`;
  return [words, ...finding.notes.map((note) => `  ${note}`)].join("\n");
}

function formatMl(volumeMl: number): string {
  return `${volumeMl >= 100 ? volumeMl.toFixed(0) : volumeMl.toPrecision(3)} mL`;
}
