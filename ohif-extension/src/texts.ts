import type { FindingView, JobStage, JobView, ReviewView, Verdict } from "#server/contract/index.ts";

type AnsweredBy = NonNullable<JobView["result"]>["model"];

/** Every word that the extension says, in English; the setting `texts` replaces any of them. */
export const english = {
  title: "Parse3D",
  researchUse: "Research use only",
  promptLabel: "What to find",
  promptPlaceholder: "e.g. left kidney, liver",
  promptHelp: "Several at once: put commas between them.",
  segment: "Segment",
  recognise: "What is in this image?",
  notThere: (count: number) => `${count} not found`,
  previewOf: (prompts: string) => `Preview: ${prompts}`,
  drawing: "Finished slices are drawn as a preview.",
  recommended: "Recommended",
  cancel: "Cancel",
  cancelling: "Cancelling…",
  tryAgain: "Try again",
  askAnew: "Ask anew",
  askAnewJob: (prompts: string) => `Ask anew for ${prompts}`,
  resample: "Resample and segment",
  resampleJob: (prompts: string) => `Resample and segment ${prompts}`,
  show: "Show",
  hide: "Hide",
  goTo: "Go to",
  moreAbout: "More about this error",
  results: "Results in this study",
  noResults: "Nothing has been asked in this study yet.",
  noSeries: "No series in the active viewport. Choose one to begin.",
  unreachable: "The Parse3D server does not answer. Trying again…",
  reachable: "The Parse3D server answers again.",
  otherSeries: "another series",
  loadingOverlay: "Loading the result into the viewer…",
  nothingFound: "Nothing was found; no segmentation was stored.",
  cancelled: "cancelled",
  closedList: (prompts: string, modality: string) => `No installed model knows ${prompts} for ${modality}.`,
  openList: (prompts: string) => `Not on the recommended list: ${prompts}. The answer may be wrong.`,
  nothingListed: (modality: string) => `No installed model takes ${modality} images.`,
  overlayFailed: (why: string) => `The result is stored, but could not be shown: ${why}`,
  byYou: "you",
  byRule: (rule: string) => `routing rule ${rule}`,
  askedAt: (when: string, by: string) => `${when}, ${by}`,
  recutOf: "cut again at another threshold",
  threshold: "Threshold",
  thresholdOf: (prompt: string) => `Threshold of ${prompt}`,
  saveThreshold: "Save as new SEG",
  saving: "Saving…",
  reset: "Reset",
  cannotCut: "The segmentation in the viewer does not lie on the slices that the server knows; show it again.",
  review: (prompts: string) => `Review of ${prompts}`,
  accept: "Accept",
  saveEdits: "Save edits",
  reject: "Reject",
  rejectReason: "Why? No names.",
  confirmReject: "Reject",
  editHint: "Change the masks with the tools below, then save.",
  editNeedsOverlay: "Show the result first: what is saved is what the viewer shows.",
  cannotReadEdits:
    "These masks overlap in the viewer, which cannot tell edits of them apart. Hide the others and try again.",
  reviewed: {
    accepted: "accepted",
    edited: "edited and stored",
    rejected: "rejected",
  } satisfies Record<Verdict, string>,
  dice: (value: string) => `Dice ${value}`,
  answeredBy: ({ title, version, nonCommercial }: AnsweredBy) =>
    `${title} ${version}${nonCommercial ? ": no commercial use" : ""}`,
  licence: (licence: string) => `Licence: ${licence}.`,
  computedOn: (device: string) => `Computed on ${device}.`,
  notes: (count: number) => (count === 1 ? "1 note" : `${count} notes`),
  piece: (prompt: string, n: number, volumeMl: string) => `${prompt}, piece ${n}: ${volumeMl} mL`,
  goToFinding: (prompt: string) => `Go to ${prompt}`,
  cancelJob: (prompts: string) => `Cancel ${prompts}`,
  showJob: (prompts: string) => `Show ${prompts}`,
  hideJob: (prompts: string) => `Hide ${prompts}`,
  answeredBefore: (prompts: string) => `${prompts}: answered before`,
  started: (prompts: string) => `Segmenting ${prompts}`,
  stages: {
    queued: "waiting",
    fetch: "fetching",
    decode: "reading",
    prepare: "preparing the model",
    infer: "segmenting, slice",
    encode: "making the DICOM SEG",
    store: "storing",
    done: "done",
  } satisfies Record<JobStage, string>,
  present: "present",
  absent: "not found",
  slices: (count: number) => (count === 1 ? "1 slice" : `${count} slices`),
};

type Widened<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { readonly [K in keyof T]: Widened<T[K]> };

export type Texts = { readonly [K in keyof typeof english]: Widened<(typeof english)[K]> };

/** Like "segmenting, slice 45/300". */
export function stageLine({ stage, detail }: Pick<JobView, "stage" | "detail">, { stages }: Texts): string {
  return detail ? `${stages[stage]} ${detail}` : `${stages[stage]}…`;
}

/** Like "present, 0.97, 162 mL, 38 slices" or "not found (0.08)". */
export function findingLine(finding: FindingView, texts: Texts): string {
  const score = finding.score === null ? undefined : finding.score.toFixed(2);
  if (!finding.present) return score === undefined ? texts.absent : `${texts.absent} (${score})`;
  const volume = finding.volumeMl === undefined ? undefined : `${millilitres(finding.volumeMl)} mL`;
  return [texts.present, score, volume, texts.slices(finding.slices.length)].filter(Boolean).join(", ");
}

export function millilitres(volumeMl: number): string {
  return volumeMl < 10 ? volumeMl.toPrecision(2) : volumeMl.toFixed(0);
}

/** Like "“left kidney”, “spleen”". */
export function quoted(prompts: readonly string[]): string {
  return prompts.map((prompt) => `“${prompt}”`).join(", ");
}

/** Like "accepted" or "edited and stored, Dice 0.97" or "rejected: wrong side". */
export function reviewLine({ verdict, reason, prompts }: ReviewView, texts: Texts): string {
  const dices = prompts.flatMap(({ present, dice }) => (present && dice !== undefined ? dice : []));
  const least = verdict === "edited" && dices.length > 0 ? `, ${texts.dice(Math.min(...dices).toFixed(3))}` : "";
  return `${texts.reviewed[verdict]}${least}${reason ? `: ${reason}` : ""}`;
}

/** Date and time as the user's place writes them. */
export function moment(iso: string): string {
  return new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}
