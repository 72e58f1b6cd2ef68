import { readFile, writeFile } from "node:fs/promises";
import { type Ports, segmentImage, segmentSeries } from "#server/domain/index.ts";
import type { JobRunner } from "#server/jobs/index.ts";

/** Does jobs with these ports: a series goes back to the archive, an image to its output file. */
export function createJobRunner(ports: Ports): JobRunner {
  return async (request, jobRun) => {
    const run = { ...jobRun, note: () => {} };
    switch (request.kind) {
      case "series": {
        const { findings: _told, ...result } = await segmentSeries(ports, request, run);
        return result;
      }
      case "image": {
        const nifti = new Uint8Array(await readFile(request.inputPath, { signal: run.signal }));
        const { model, notes, seconds, nifti: answer } = await segmentImage(ports, { ...request, nifti }, run);
        await writeFile(request.outputPath, answer, { signal: run.signal });
        return { model, notes, seconds };
      }
      default:
        return request satisfies never;
    }
  };
}
