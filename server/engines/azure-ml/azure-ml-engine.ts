import {
  type Reorientation,
  reorient,
  reorientationTo,
  restorePlane,
  type Vec3,
  type Voxels,
} from "#converters/geometry/index.ts";
import type { AzureMlManifest, InstalledAzureMl } from "#models/index.ts";
import type { ChildEngine, Reply } from "../child/engine.ts";
import { greyLevels, isWindowed } from "../child/grey-levels.ts";
import { packPlane } from "../child/pack-plane.ts";
import { windowNote, windowsOf } from "../child/windowed-volumes.ts";
import type { Begin, Load, VolumeHeader } from "../protocol.ts";
import type { EndpointAnswer } from "./answer.ts";
import { Claims } from "./claims.ts";
import { type Endpoint, openEndpoint } from "./endpoint.ts";
import { encodeImage, withoutAmpersand } from "./request-body.ts";

/** A volume as the endpoint gets it: one picture for each window, all on the same turned grid. */
interface SentVolume {
  readonly key: string;
  readonly size: Vec3;
  readonly reorientation: Reorientation | undefined;
  /** By the name of the window; one for all where no window changes anything. */
  readonly images: ReadonlyMap<string, Uint8Array>;
  readonly isWindowed: boolean;
}

/**
 * MedImageParse 3D as an Azure ML online endpoint. Grey levels and the words of the prompts leave the machine, nothing else;
 * the volume is packed once for all questions on it.
 */
export function openAzureMlEngine({ manifest }: InstalledAzureMl, load: Load): ChildEngine {
  const endpoint = openEndpoint(manifest.endpoint, load.key ?? { kind: "none" });
  let sent: SentVolume | undefined;
  const known = ({ volume }: Begin) => (sent?.key === volume.key ? sent : undefined);

  return {
    provider: { requested: load.executionProvider, actual: "remote" },
    check() {},
    needsVoxels: (question) => windowsOf(question, manifest).some((window) => !known(question)?.images.has(window)),
    async prepare(question, voxels, reply) {
      await reply.progress("prepare", 0.5);
      sent = await packVolume(voxels, question, manifest, known(question));
    },
    async answer(question, reply) {
      const volume = known(question);
      if (!volume) throw new Error("no volume was prepared");
      await reply.progress("prepare", 1);
      await reply.progress("infer", 0);
      const windows = volume.isWindowed ? windowNote(question, manifest) : undefined;
      if (windows !== undefined) await reply.note(windows);
      await tellWhatDiffers(question, reply);
      for await (const answered of askAll(endpoint, volume, question, manifest, reply)) {
        await sendPlanes(answered, volume, reply);
      }
      await reply.progress("infer", 1);
    },
  };
}

/** Of the stage "infer", the part in which the endpoint is waited for. */
const shareOfEndpoint = 0.95;

async function packVolume(
  voxels: Voxels,
  question: Begin,
  manifest: AzureMlManifest,
  known: SentVolume | undefined,
): Promise<SentVolume> {
  const { volume: header } = question;
  const images = new Map(known?.images);
  const one = !isWindowed(voxels, header);
  let only = one ? images.values().next().value : undefined;
  for (const window of new Set(windowsOf(question, manifest))) {
    if (images.has(window)) continue;
    only = only && one ? only : await packImage(voxels, header, manifest, window);
    images.set(window, only);
  }
  const geometry = geometryOf(header);
  const { orientation } = manifest;
  const reorientation = orientation === "any" ? undefined : reorientationTo(geometry, orientation);
  const size = reorientation ? reorientation.axes.map(({ from }) => header.size[from]!) : header.size;
  return { key: header.key, size: size as unknown as Vec3, reorientation, images, isWindowed: !one };
}

async function packImage(
  voxels: Voxels,
  header: VolumeHeader,
  manifest: AzureMlManifest,
  window: string,
): Promise<Uint8Array> {
  const levels = greyLevels(voxels, header, manifest, window);
  const volume = {
    geometry: geometryOf(header),
    voxels: levels,
    unit: "arbitrary",
    modality: "OT",
    sources: [],
  } as const;
  const { geometry, voxels: turned } = manifest.orientation === "any" ? volume : reorient(volume, manifest.orientation);
  return encodeImage(turned, geometry);
}

function geometryOf({ size, ijkToLps }: VolumeHeader) {
  return { size, ijkToLps, frameOfReferenceUid: "" };
}

/** Where the planes of some prompts are made from. */
interface Answered {
  readonly claims: Claims;
  /** In the order of the claims' prompts. */
  readonly promptIds: readonly string[];
}

/**
 * Exclusive: one request for each window, prompts joined. Overlapping: one for each prompt, since a label map overlaps
 * nowhere.
 */
async function* askAll(
  endpoint: Endpoint,
  { size, images }: SentVolume,
  question: Begin,
  manifest: AzureMlManifest,
  reply: Reply,
): AsyncGenerator<Answered, void, void> {
  const { prompts, probabilities, merge, maskThreshold: threshold = 0.5 } = question;
  const windows = windowsOf(question, manifest);
  const claimsOf = (count: number) => new Claims({ size, prompts: count, threshold, probabilities });
  const shared = merge === "exclusive" ? claimsOf(prompts.length) : undefined;
  const together = Map.groupBy(prompts.keys(), (p) => (shared ? images.get(windows[p]!)! : p));
  const forms = new Set<EndpointAnswer["form"]>();
  let asked = 0;
  for (const members of together.values()) {
    const texts = members.map((p) => withoutAmpersand(prompts[p]!.text));
    const answer = await endpoint(images.get(windows[members[0]!]!)!, size, texts);
    forms.add(answer.form);
    await reply.progress("infer", (shareOfEndpoint * ++asked) / together.size);
    if (shared) {
      shared.add(answer, members);
      continue;
    }
    const claims = claimsOf(members.length);
    claims.add(answer, [...members.keys()]);
    yield { claims, promptIds: members.map((p) => prompts[p]!.id) };
  }
  if (shared) yield { claims: shared, promptIds: prompts.map(({ id }) => id) };
  if (question.maskThreshold !== undefined && forms.has("labels")) {
    await reply.note(
      "The endpoint answered with finished masks: the mask threshold that was asked for changed nothing.",
    );
  }
}

async function tellWhatDiffers({ prompts, existenceThreshold, draws = 1 }: Begin, reply: Reply): Promise<void> {
  const changed = prompts.filter(({ text }) => text.includes("&")).length;
  if (changed > 0) {
    await reply.note(`In ${changed} prompt(s) "&" was sent as "and": the endpoint reads "&" as the end of a prompt.`);
  }
  if (draws > 1) await reply.note("The endpoint gives one answer: it cannot be asked for several draws.");
  if (existenceThreshold !== undefined) {
    await reply.note(
      "The endpoint gives no existence scores: the existence threshold that was asked for changed nothing.",
    );
  }
}

async function sendPlanes(
  { claims, promptIds }: Answered,
  { size, reorientation }: SentVolume,
  reply: Reply,
): Promise<void> {
  const stands = reorientation?.axes[2] ?? { from: 2, flipped: false };
  for (let k = 0; k < size[2]; k++) {
    const restore = (pixels: Uint8Array) =>
      reorientation ? restorePlane(reorientation, size, { axis: 2, index: k, pixels }).pixels : pixels;
    const planes = claims.slices(k).flatMap(({ mask, probability }, p) => {
      if (!mask && !probability) return [];
      return {
        promptId: promptIds[p]!,
        axis: stands.from,
        index: stands.flipped ? size[2] - 1 - k : k,
        existence: null,
        ...(mask && { bits: packPlane(restore(mask)) }),
        ...(probability && { probability: restore(probability) }),
      };
    });
    await reply.planes(planes);
  }
}
