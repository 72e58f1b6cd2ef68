import { SeriesNotFoundError } from "#server/domain/index.ts";
import type { AppPorts } from "../app.ts";
import type { DemoStudy } from "./demo-studies.ts";

/** Stores a demo study unless the archive already holds all of it. */
export async function loadStudy(
  ports: Pick<AppPorts, "source" | "sink">,
  study: DemoStudy,
  { signal, onStored }: { readonly signal: AbortSignal; onStored(count: number): void },
): Promise<void> {
  if ((await instancesHeld(ports, study, signal)) >= study.instanceCount) return;
  let stored = 0;
  for (const instance of study.instances) {
    await ports.sink.store(instance, { signal });
    stored += 1;
    onStored(stored);
  }
}

async function instancesHeld(
  { source }: Pick<AppPorts, "source">,
  study: DemoStudy,
  signal: AbortSignal,
): Promise<number> {
  try {
    return (await source.describe(study, { signal })).instanceCount;
  } catch (error) {
    if (error instanceof SeriesNotFoundError) return 0;
    throw error;
  }
}
