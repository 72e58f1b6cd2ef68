import type { InstalledBundle } from "#models/index.ts";
import { deterministicUid, keepRecentSeries, type Ports, promptsFrom, segmentSeries } from "#server/domain/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { registryOf } from "../../test/fixtures/fake-registry.ts";
import { createMemoryArchive } from "../../test/fixtures/memory-archive.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report } from "../figure.ts";

const SLICES = 60;
const SIDE = 256;

/**
 * What a second question about a series does again, counted beside the first: instances that are fetched and decoded, and
 * times that voxels are sent to the inference process to be made into pictures (the stage that it calls "prepare").
 */
export async function secondPrompt(report: Report, bundle: InstalledBundle): Promise<void> {
  report.note("what a second prompt on a series does again ...");
  await using model = createBundleModel(bundle);
  const archive = createMemoryArchive();
  const { series, instances } = syntheticCt(SLICES, SIDE, "bench second prompt");
  for (const instance of instances()) await archive.sink.store(instance, { signal: AbortSignal.timeout(60_000) });
  let [fetched, prepared] = [0, 0];
  const ports: Ports = {
    source: {
      ...archive.source,
      async *instances(wanted, options) {
        for await (const instance of archive.source.instances(wanted, options)) {
          fetched++;
          yield instance;
        }
      },
      revision: async () => "unchanged",
    },
    sink: archive.sink,
    models: registryOf(model),
    recent: keepRecentSeries({ maxBytes: 2 ** 29, keepMs: 600_000 }),
    now: () => new Date(),
    newUid: deterministicUid,
  };
  const ask = async (text: string) => {
    [fetched, prepared] = [0, 0];
    await segmentSeries(
      ports,
      { series, prompts: promptsFrom([{ text }]) },
      {
        signal: new AbortController().signal,
        // Between 0 and 1 voxels are sent and made into pictures; without that the stage is only begun and ended.
        progress: (stage, fraction) => {
          if (stage === "prepare" && fraction > 0 && fraction < 1) prepared++;
        },
        note: () => {},
        finding: () => {},
      },
    );
    return { fetched, prepared };
  };
  const first = await ask("liver");
  const second = await ask("spleen");
  const again = { name: "first prompt", samples: [first.fetched] };
  report.figure(compare("second prompt: instances fetched and decoded", "count", [second.fetched], again));
  const steps = { name: "first prompt", samples: [first.prepared] };
  report.figure(compare("second prompt: steps of preparing pictures", "count", [second.prepared], steps));
}
