import type { Finding } from "#server/domain/index.ts";

/** One line for people: "left kidney: present, 0.97, 162 mL, 38 slices". */
export function describeFinding(finding: Finding): string {
  const { prompt, present, score, slices, volumeMl } = finding;
  const spread = finding.disagreement === undefined ? "" : ` (draws differ by ${finding.disagreement.toFixed(2)})`;
  const probability = score === null ? "" : `, ${score.toFixed(2)}${spread}`;
  const words = present
    ? `${prompt.text}: present${probability}, ${formatMl(volumeMl ?? 0)}, ${slices.length} slices`
    : `${prompt.text}: not found${score === null ? "" : ` (${score.toFixed(2)})`}`;
  return [words, ...finding.notes.map((note) => `  ${note}`)].join("\n");
}

/** A line for each connected piece: "  left kidney 1: 162 mL at (-60.1, 20.0, 101.2) mm LPS, 112.0 mm across, mean 34.1 HU". */
export function describeComponents({ prompt, components }: Finding): readonly string[] {
  return components.map(({ volumeMl, centroidLps, longestDiameterMm, meanValue, valueUnit }, n) => {
    const at = centroidLps.map((mm) => mm.toFixed(1)).join(", ");
    const unit = valueUnit === undefined || valueUnit === "arbitrary" ? "" : ` ${valueUnit}`;
    const mean = meanValue === undefined ? "" : `, mean ${meanValue.toFixed(1)}${unit}`;
    return `  ${prompt.text} ${n + 1}: ${formatMl(volumeMl)} at (${at}) mm LPS, ${longestDiameterMm.toFixed(1)} mm across${mean}`;
  });
}

function formatMl(volumeMl: number): string {
  return `${volumeMl >= 100 ? volumeMl.toFixed(0) : volumeMl.toPrecision(3)} mL`;
}
