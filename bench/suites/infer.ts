import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InstalledBundle, openBundle } from "#models/index.ts";
import { writeTinyBundle } from "../../test/fixtures/tiny-bundle.ts";
import type { Report, Suite } from "../figure.ts";
import { againstTorch } from "../infer/against-torch.ts";
import { bareLoop } from "../infer/bare-loop.ts";
import { brain } from "../infer/brain.ts";
import { deviceIdle } from "../infer/device-idle.ts";
import { firstSlice } from "../infer/first-slice.ts";
import { secondPrompt } from "../infer/second-prompt.ts";
import { serverMemory } from "../infer/server-memory.ts";
import { buildSmallNetwork } from "../infer/small-network.ts";

/** What `npm run verify:full` leaves: the network at its real size, with made weights. */
const FULL_NETWORK = join(import.meta.dirname, "../../.cache/medimageparse3d-made/bundle");

export const programs: Suite["programs"] = { Orthanc: ["/usr/sbin/Orthanc", "--version"] };

/**
 * What stands around the networks: resizing beside PyTorch, how long a device waits, the first slice, a second prompt, what
 * the inference process adds to onnxruntime, the server's memory, and the brain network in the box.
 */
export async function run(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  try {
    await againstTorch(report);
    await deviceIdle(report);
    const small = await buildSmallNetwork(join(folder, "bundle"));
    await firstSlice(report, small);
    await secondPrompt(report, small);
    await bareLoop(report, small, 60);
    const full = await fullNetwork();
    if (full) await bareLoop(report, full, 3);
    else report.note("*** LEFT OUT: the real size beside a bare loop: run npm run verify:full first ***");
    await brain(report);
    await serverMemory(report, await writeTinyBundle(join(folder, "tiny")), "solid");
    await serverMemory(report, small, "noise");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fullNetwork(): Promise<InstalledBundle | undefined> {
  const isThere = await access(join(FULL_NETWORK, "manifest.json")).then(
    () => true,
    () => false,
  );
  const model = isThere ? await openBundle(FULL_NETWORK) : undefined;
  return model?.engine === "bundle" ? model : undefined;
}
