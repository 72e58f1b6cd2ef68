import { checkSeg, codesForPrompt, type DecodedSeries, encodeSeg, type SegInput } from "#converters/dicom/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { Finding } from "./finding.ts";
import type { Ports, Run, StoredInstance } from "./ports.ts";
import type { PromptMask } from "./segment-volume.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface StoredSeg extends StoredInstance {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}

interface Answered {
  readonly key: string;
  readonly series: DecodedSeries;
  readonly answers: readonly (PromptMask & { readonly finding: Finding })[];
  readonly card: ModelCard;
}

/** One SEG with one segment for each prompt that was found, read back before it leaves. */
export async function storeSeg(
  { sink, now, newUid }: Pick<Ports, "sink" | "now" | "newUid">,
  { key, series, answers, card }: Answered,
  run: Run,
  watch: Pick<Stopwatch<"encode" | "store">, "time">,
): Promise<StoredSeg> {
  const { header, volume } = series;
  const input: SegInput = {
    header,
    geometry: volume.geometry,
    sources: volume.sources,
    segments: answers.flatMap(({ prompt, mask, finding: { tracking } }) => {
      if (!tracking) return [];
      return {
        label: prompt.text.slice(0, 64),
        description: `Prompt: ${prompt.text}`,
        codes: codesForPrompt(prompt.text, prompt.code),
        tracking,
        mask,
      };
    }),
    seriesDescription: describeSeries(answers, card),
    algorithm: {
      name: card.title,
      version: card.version,
      family: card.algorithmFamily,
    },
    at: now(),
    uids: {
      series: newUid(key, "series"),
      instance: newUid(key, "instance"),
      dimensionOrganization: newUid(key, "dimension organization"),
    },
  };
  const part10 = await watch.time("encode", () => {
    const bytes = encodeSeg(input);
    checkSeg(bytes, input);
    return bytes;
  });
  run.signal.throwIfAborted();
  run.progress("store", 0);
  const stored = await watch.time("store", () => sink.store(part10, { signal: run.signal }));
  return { ...stored, studyInstanceUid: header.study.StudyInstanceUID, seriesInstanceUid: input.uids.series };
}

/** What was found, then by what: a study may hold many of these, and lists of series show little else. LO: 64 characters. */
function describeSeries(answers: Answered["answers"], card: ModelCard): string {
  const found = answers.flatMap(({ prompt, finding }) => (finding.present ? [prompt.text] : [])).join(", ");
  const by = ` - ${card.name}, research use only`;
  const room = 64 - by.length;
  return `${found.length > room ? `${found.slice(0, room - 3)}...` : found}${by}`.slice(0, 64);
}
