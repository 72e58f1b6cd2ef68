import { readFile, writeFile } from "node:fs/promises";
import {
  InvalidRequestError,
  type Ports,
  recutSeries,
  type SegmentRun,
  segmentImage,
  segmentSeries,
} from "#server/domain/index.ts";
import { choosingAmong } from "#server/engines/index.ts";
import type { JobRunner, SeriesJobRequest } from "#server/jobs/index.ts";
import type { ProbabilityFiles } from "#server/probabilities/index.ts";
import { watchBasis } from "./watch-basis.ts";

/** Does jobs with these ports: a series goes back to the archive, an image to its output file. */
export function createJobRunner(shared: Ports, probabilities?: Pick<ProbabilityFiles, "keep" | "read">): JobRunner {
  return async (request, { elsewhere = [], ...jobRun }) => {
    const ports = { ...shared, models: choosingAmong(shared.models, elsewhere) };
    const run = { ...jobRun, note: () => {} };
    switch (request.kind) {
      case "series": {
        const { preview, ...quiet } = run;
        const { jobId } = run;
        const watched: SegmentRun = {
          ...quiet,
          ...(request.preview && preview && { preview }),
          ...(request.keepProbabilities && probabilities && { keep: (answer) => probabilities.keep(jobId, answer) }),
        };
        const seen = watchBasis(ports);
        const { findings: _told, ...result } = request.recut
          ? await recut(ports, request, request.recut, watched)
          : await segmentSeries(seen.ports, request, watched);
        const basis = seen.basis();
        return { ...result, ...(basis && { basis }) };
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
  async function recut(
    ports: Ports,
    request: SeriesJobRequest,
    { jobId, thresholds, of }: NonNullable<SeriesJobRequest["recut"]>,
    run: SegmentRun,
  ) {
    const kept = await probabilities?.read(jobId);
    if (!kept || !of) {
      throw new InvalidRequestError(
        "The probabilities of that job are not here any more: ask it again with keepProbabilities.",
      );
    }
    return recutSeries(ports, { ...request, thresholds, of }, kept, run);
  }
}
