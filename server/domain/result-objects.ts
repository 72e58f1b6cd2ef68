import { setImmediate } from "node:timers/promises";
import {
  checkReport,
  checkSecondaryCapture,
  checkSeg,
  checkStructureSet,
  codesForPrompt,
  type DecodedSeries,
  encodeReport,
  encodeSecondaryCapture,
  encodeSeg,
  encodeStructureSet,
  probabilitiesOnSlices,
  type ReportFinding,
  type ReportInput,
  type SecondaryCaptureInput,
  type SegInput,
  type StructureSetInput,
} from "#converters/dicom/index.ts";
import { overlayPages, type RgbPicture } from "#converters/picture/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { Answer } from "./findings.ts";
import { fractionsOf } from "./fractions.ts";
import type { Ports } from "./ports.ts";
import type { Output, SegmentationType } from "./question.ts";
import type { StoredObjects } from "./store-results.ts";
import { derivationOf, isStorable, storedMask, storedPlaces } from "./stored-masks.ts";

/** A DICOM object that is ready to be stored. */
export interface ResultObject {
  readonly kind: keyof StoredObjects;
  /** In words, with its article. */
  readonly name: string;
  readonly part10: Uint8Array;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}

/** All that results are made of. */
export interface Answered {
  readonly key: string;
  readonly series: DecodedSeries;
  readonly answers: readonly Answer[];
  readonly card: ModelCard;
  readonly computedOn?: string;
  readonly outputs: readonly Output[];
  readonly segmentationType: SegmentationType;
  readonly deflated?: boolean;
  /** Kept in the SEG: what was asked, and how. */
  readonly provenance: string;
}

/** Words of one finding fit into one Segment Label and one Tracking ID. */
const longestLabel = 64;

export function trackingOf(newUid: Ports["newUid"], key: string, text: string) {
  return { id: text.slice(0, longestLabel), uid: newUid(key, `tracking: ${text}`) };
}

/**
 * The DICOM objects that were asked for, each read back before it leaves; what others refer to comes first. Where nothing was
 * found there is only the report, which says so; it says nothing of what was not looked for. Between objects, and between pictures, others get the thread.
 * @throws the signal's reason when it is aborted
 */
export async function resultObjects(
  { now, newUid }: Pick<Ports, "now" | "newUid">,
  answered: Answered,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly ResultObject[]> {
  const { key, series, answers, card, computedOn, outputs, segmentationType: kind, deflated, provenance } = answered;
  const { header, volume } = series;
  const study = header.study.StudyInstanceUID;
  const found = answers.filter(({ finding }) => finding.present);
  const storable = found.some(({ mask }) => isStorable(mask, volume));
  const reported = answers.filter(({ finding, looked }) => finding.present || looked);
  // Objects of another kind of SEG are other objects: the same UID never stands for two of them.
  const kinds = [...(kind === "binary" ? [] : [kind]), ...(deflated ? ["deflated"] : [])];
  const role = (name: string) => newUid(key, [name, ...kinds].join(": "));
  const common = {
    header,
    ...storedPlaces(volume),
    seriesDescription: describeSeries(answers, card),
    algorithm: {
      name: card.title,
      version: card.version,
      family: card.algorithmFamily,
      ...(computedOn !== undefined && { computedOn }),
    },
    ...(series.lossyCompression && { lossyCompression: series.lossyCompression }),
    at: now(),
  };
  const segUids = {
    series: role("series"),
    instance: role("instance"),
    dimensionOrganization: role("dimension organization"),
  };

  function fractions(answer: Answer) {
    const { probabilities } = fractionsOf(answer);
    if (!volume.stack) return { probabilities };
    return { probabilities: probabilitiesOnSlices(probabilities, volume.geometry.size, volume.stack) };
  }

  function seg(): ResultObject {
    const input: SegInput = {
      ...common,
      algorithm: { ...common.algorithm, parameters: provenance },
      kind,
      // Frames of bits may not be compressed so, and others are mostly background.
      compression: deflated ? "deflated" : kind === "binary" ? "none" : "rle",
      segments: found.map((answer) => ({
        ...segmentOf(answer, volume),
        ...(kind === "fractional" && fractions(answer)),
      })),
      ...derivationOf(volume),
      uids: segUids,
    };
    const part10 = encodeSeg(input);
    checkSeg(part10, input);
    return {
      kind: "seg",
      name: "the segmentation",
      part10,
      studyInstanceUid: study,
      seriesInstanceUid: segUids.series,
    };
  }

  function report(): ResultObject {
    const uids = { series: role("sr series"), instance: role("sr instance") };
    const input: ReportInput = {
      ...common,
      frameOfReferenceUid: volume.geometry.frameOfReferenceUid,
      ...(storable && {
        seg: { kind, sopInstanceUid: segUids.instance, seriesInstanceUid: segUids.series },
      }),
      findings: reported.map((answer) => ({
        ...reportFinding(answer, trackingOf(newUid, key, answer.prompt.text)),
        // How deep a value lies within a rule's range is no certainty.
        ...(!card.trained && { score: null }),
      })),
      uids,
    };
    const part10 = encodeReport(input);
    checkReport(part10, input);
    return { kind: "sr", name: "the report", part10, studyInstanceUid: study, seriesInstanceUid: uids.series };
  }

  function structureSet(): ResultObject {
    const uids = { series: newUid(key, "rtstruct series"), instance: newUid(key, "rtstruct instance") };
    const rois = found.map((answer) => {
      const { label, description, codes, mask } = segmentOf(answer, volume);
      return { name: label, description, codes, mask };
    });
    const input: StructureSetInput = { ...common, rois, uids };
    const part10 = encodeStructureSet(input);
    checkStructureSet(part10, input);
    return { kind: "rtstruct", name: "the contours", part10, studyInstanceUid: study, seriesInstanceUid: uids.series };
  }

  async function capture(): Promise<ResultObject> {
    const uids = { series: newUid(key, "sc series"), instance: newUid(key, "sc instance") };
    const masks = found.map(({ prompt, mask }) => ({ name: prompt.text, mask }));
    const pictures: RgbPicture[] = [];
    for (const picture of overlayPages({ volume, masks })) {
      pictures.push(picture);
      await breathe(signal);
    }
    const input: SecondaryCaptureInput = { ...common, pictures, uids };
    const part10 = encodeSecondaryCapture(input);
    checkSecondaryCapture(part10, input);
    return { kind: "sc", name: "the pictures", part10, studyInstanceUid: study, seriesInstanceUid: uids.series };
  }

  const wanted = (output: Output) => outputs.includes(output);
  const makers = [
    ...(storable && (wanted("seg") || wanted("sr")) ? [seg] : []),
    ...(wanted("sr") && reported.length > 0 ? [report] : []),
    ...(storable && wanted("rtstruct") ? [structureSet] : []),
    ...(found.length > 0 && wanted("sc") ? [capture] : []),
  ];
  const objects: ResultObject[] = [];
  for (const make of makers) {
    objects.push(await make());
    await breathe(signal);
  }
  return objects;
}

async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

function segmentOf({ prompt, mask, finding: { tracking } }: Answer, volume: DecodedSeries["volume"]) {
  if (!tracking) throw new Error("a finding that is present has no tracking identity");
  return {
    label: prompt.text.slice(0, longestLabel),
    description: `Prompt: ${prompt.text}`,
    codes: codesForPrompt(prompt.text, prompt.code),
    tracking,
    mask: storedMask(mask, volume),
  };
}

function reportFinding(
  { prompt, score, finding, longestAxialDiameter }: Answer,
  tracking: { readonly id: string; readonly uid: string },
): ReportFinding {
  const asked = { prompt: prompt.text, codes: codesForPrompt(prompt.text, prompt.code), tracking, score };
  if (!finding.present) return { ...asked, present: false };
  const { segmentNumber, volumeMl, box } = finding;
  return {
    ...asked,
    present: true,
    ...(segmentNumber !== undefined && { segmentNumber }),
    ...(volumeMl !== undefined && { volumeMl }),
    ...(longestAxialDiameter && { longestAxialDiameter }),
    ...(box && { box }),
  };
}

/** What was found, then by what: a study may hold many of these, and lists of series show little else. LO: 64 characters. */
function describeSeries(answers: Answered["answers"], card: ModelCard): string {
  const found = answers.flatMap(({ prompt, finding }) => (finding.present ? [prompt.text] : [])).join(", ");
  const by = ` - ${card.name}, research use only`;
  const room = 64 - by.length;
  return `${found.length > room ? `${found.slice(0, room - 3)}...` : found}${by}`.slice(0, 64);
}
