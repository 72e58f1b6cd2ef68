import { join } from "node:path";
import type { FindingsHeader } from "#server/contract/index.ts";
import { type Finding, mergeOf } from "#server/domain/index.ts";
import { askedPrompts, type JobQueue, runJob, thresholdsOf } from "#server/jobs/index.ts";
import type { Handlers } from "./handlers.ts";

/** NIfTI in, NIfTI out, through the same queue as everything else. */
export function segmentHandlers(queue: JobQueue): Pick<Handlers, "segmentNifti"> {
  return {
    segmentNifti: async (
      { prompts, modality, model, merge, output, volume, ...thresholds },
      file,
      { owner, requestId, signal },
    ) => {
      const outputPath = join(file.folder, "output.nii.gz");
      const asked = askedPrompts({ prompts, recognise: thresholds.recognise });
      const job = await runJob(
        queue,
        {
          kind: "image",
          inputPath: file.path,
          outputPath,
          modality,
          prompts: asked,
          ...(model !== undefined && { model }),
          merge: mergeOf({ recognise: thresholds.recognise, ...(merge && { merge }) }),
          output,
          ...thresholdsOf(thresholds),
          ...(volume !== undefined && { volumeIndex: volume }),
        },
        { owner, requestId },
        signal,
      );
      const answered = new Map(job.findings.map((finding) => [finding.prompt.id, finding]));
      // Of a recognition what is there: a header has no room for all that is not.
      const findings = thresholds.recognise
        ? job.findings.filter(({ present }) => present)
        : asked.flatMap(({ id }) => answered.get(id) ?? []);
      return {
        path: outputPath,
        fileName: `${output}.nii.gz`,
        headers: {
          "Parse3D-Findings": JSON.stringify(findings.map(summarise)),
          "Parse3D-Job": job.id,
          "Parse3D-Model": `${job.result.model.name}/${job.result.model.version}`.replace(/[^\x21-\x7e]/g, "?"),
          "Parse3D-Notes": inHeader(job.result.notes),
        },
      };
    },
  };
}

/** As many of the first notes as fit: clients take 16 KiB of headers in all. What is not ASCII is escaped. */
function inHeader(notes: readonly string[]): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const text = JSON.stringify(notes).replace(/[^ -~]/g, escaped);
  return text.length <= 4096 ? text : inHeader(notes.slice(0, -1));
}

/** No words, so that 32 of them fit into a header and all of it is ASCII. */
function summarise({ prompt, present, score, voxels, volumeMl }: Finding): FindingsHeader[number] {
  return { prompt: prompt.id, present, score, voxels, ...(volumeMl !== undefined && { volumeMl }) };
}
