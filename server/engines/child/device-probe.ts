import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { z } from "zod";
import type { Device } from "../engine-options.ts";
import { probeExpected, probeGraph, probeInput } from "./probe-graph.ts";
import { providerOf } from "./provider-of.ts";
import { runtimeError } from "./runtime-error.ts";

/** Nodes of the probe by the provider that ran them, in onnxruntime's own names. */
export type NodeCounts = Readonly<Record<string, number>>;

/** Whether a device can be used, and why not. */
export type DeviceProbe =
  | { readonly works: true; readonly nodes: NodeCounts }
  | { readonly works: false; readonly reason: string; readonly error?: Error };

/** What onnxruntime calls its execution providers in a profile. */
const PROVIDER_NAMES: Readonly<Record<Device, string>> = {
  cpu: "CPUExecutionProvider",
  cuda: "CUDAExecutionProvider",
  tensorrt: "TensorrtExecutionProvider",
  webgpu: "WebGpuExecutionProvider",
};

/**
 * Tries a device. onnxruntime's own list of backends names some that are not there, and a session that was asked for one may
 * run on another: so a small graph is computed with no way back to the CPU, its profile has to say who ran it, and its
 * numbers have to be right.
 */
export async function probeDevice(device: Device, deviceId?: number): Promise<DeviceProbe> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "parse3d-probe-"));
    const session = await InferenceSession.create(probeGraph(), {
      executionProviders: [providerOf(device, deviceId)],
      enableProfiling: true,
      profileFilePrefix: join(folder, "profile"),
      logSeverityLevel: 4,
      ...(device !== "cpu" && { extra: { session: { disable_cpu_ep_fallback: "1" } } }),
    });
    const outputs = await session.run({ x: new Tensor("float32", probeInput, [8, 8]) });
    session.endProfiling();
    await session.release();
    const values = outputs.y?.data;
    // A GPU may multiply with 10 bits of mantissa; a wrong order of numbers is off by more than this.
    const agrees = probeExpected.every((expected, n) => Math.abs(expected - Number(values?.[n])) < 1e-2);
    if (!agrees) {
      return { works: false, reason: "it computes a small matrix product wrongly." };
    }
    const nodes = await countNodes(folder);
    if (PROVIDER_NAMES[device] in nodes) return { works: true, nodes };
    const others = Object.keys(nodes).join(", ") || "nobody";
    return { works: false, reason: `a small graph that was meant for it was computed by ${others}.` };
  } catch (error) {
    const reason = `onnxruntime says "${error instanceof Error ? error.message : error}".`;
    return { works: false, reason, error: runtimeError("The GPU cannot be used", error, device) };
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

const Profile = z.array(z.looseObject({ args: z.looseObject({ provider: z.string().optional() }).optional() }));

async function countNodes(folder: string): Promise<NodeCounts> {
  const [file] = await readdir(folder);
  if (file === undefined) return {};
  const events = Profile.parse(JSON.parse(await readFile(join(folder, file), "utf8")));
  const providers = events.flatMap(({ args }) => args?.provider || []);
  return Object.fromEntries([...Map.groupBy(providers, (name) => name)].map(([name, nodes]) => [name, nodes.length]));
}
