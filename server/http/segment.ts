import { join } from "node:path";
import type { FindingsHeader } from "#server/contract/index.ts";
import { type Finding, promptsFrom } from "#server/domain/index.ts";
import { type JobQueue, runJob } from "#server/jobs/index.ts";
import type { Handlers } from "./handlers.ts";

/** NIfTI in, NIfTI out, through the same queue as everything else. */
export function segmentHandlers(queue: JobQueue): Pick<Handlers, "segmentNifti"> {
  return {
    segmentNifti: async ({ prompts, modality, model, merge, output, volume }, file, { owner, requestId, signal }) => {
      const outputPath = join(file.folder, "output.nii.gz");
      const asked = promptsFrom(prompts.map((prompt) => (typeof prompt === "string" ? { text: prompt } : prompt)));
      const job = await runJob(
        queue,
        {
          kind: "image",
          inputPath: file.path,
          outputPath,
          modality,
          prompts: asked,
          ...(model !== undefined && { model }),
          merge,
          output,
          ...(volume !== undefined && { volumeIndex: volume }),
        },
        { owner, requestId },
        signal,
      );
      const answered = new Map(job.findings.map((finding) => [finding.prompt.id, finding]));
      const findings = asked.flatMap(({ id }) => answered.get(id) ?? []);
      return {
        path: outputPath,
        fileName: `${output}.nii.gz`,
        headers: {
          "Parse3D-Findings": JSON.stringify(findings.map(summarise)),
          "Parse3D-Job": job.id,
          "Parse3D-Model": `${job.result.model.name}/${job.result.model.version}`.replace(/[^\x21-\x7e]/g, "?"),
        },
      };
    },
  };
}

/** No words, so that 32 of them fit into a header and all of it is ASCII. */
function summarise({ prompt, present, score, voxels, volumeMl }: Finding): FindingsHeader[number] {
  return { prompt: prompt.id, present, score, voxels, ...(volumeMl !== undefined && { volumeMl }) };
}
