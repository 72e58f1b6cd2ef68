import { z } from "zod";
import type { Mat4, Vec3, Voxels } from "#converters/geometry/index.ts";
import { ExecutionProvider, ProviderStatus } from "./engine-options.ts";
import { RemoteKey } from "./remote/remote-key.ts";
import { WireErrorSchema } from "./wire-error.ts";

/** Names of the typed arrays that a volume may be stored in. */
const VoxelType = z.enum([
  "Int8Array",
  "Uint8Array",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
]);
export type VoxelType = z.infer<typeof VoxelType>;

const number16 = z.array(z.number()).length(16);

/** All of a volume but its voxels. */
const VolumeHeader = z.object({
  /** sha256 over geometry, unit, modality and voxels: the same key is the same volume. */
  key: z.string(),
  size: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]) satisfies z.ZodType<Vec3>,
  ijkToLps: z.custom<Mat4>((value) => number16.safeParse(value).success, "16 numbers"),
  modality: z.string(),
  unit: z.enum(["HU", "SUV", "Bq/mL", "arbitrary"]),
  voxelType: VoxelType,
});
export type VolumeHeader = z.infer<typeof VolumeHeader>;

const Load = z.object({
  kind: z.literal("load"),
  engine: z.enum(["bundle", "labels", "azure-ml", "open-inference"]),
  folder: z.string(),
  /** Of the model that was asked; another may lie there by now. */
  sha256: z.string().optional(),
  executionProvider: ExecutionProvider,
  /** Number of the GPU, where there are several. */
  deviceId: z.int().nonnegative().optional(),
  threads: z.int().positive().optional(),
  /** The engine's own number where absent. */
  sliceBatch: z.int().positive().optional(),
  /** Targets answered ahead where a question does not say how many; the provider's own number where absent. */
  anticipate: z.int().nonnegative().optional(),
  /** Of the machine that computes the model, where that is another. */
  key: RemoteKey.optional(),
});
export type Load = z.infer<typeof Load>;

const Begin = z.object({
  kind: z.literal("begin"),
  volume: VolumeHeader,
  prompts: z.array(z.object({ id: z.string(), text: z.string() })),
  merge: z.enum(["exclusive", "overlapping"]),
  probabilities: z.boolean(),
  maskThreshold: z.number().min(0).max(1).optional(),
  existenceThreshold: z.number().min(0).max(1).optional(),
  draws: z.int().min(1).max(16).optional(),
  instances: z.boolean().optional(),
  firstSlice: z.int().nonnegative().optional(),
  bodyPart: z.string().optional(),
  anticipate: z
    .object({ candidates: z.array(z.string()).readonly(), most: z.int().nonnegative().optional() })
    .optional(),
});
/** One question: these prompts on this volume. */
export type Begin = z.infer<typeof Begin>;

const Slab = z.object({
  kind: z.literal("slab"),
  /** Number of the first voxel. */
  offset: z.int().nonnegative(),
  voxels: z.custom<Voxels>((value) => VoxelType.safeParse(value?.constructor?.name).success, "a typed array"),
});

/**
 * What the server says to an inference process. A run is: `begin`; the process answers `voxels`; where they are needed,
 * all `slab`s in order; then a `took` for each `planes` that was consumed.
 */
export const ToChild = z.discriminatedUnion("kind", [Load, Begin, Slab, z.object({ kind: z.literal("took") })]);
export type ToChild = z.infer<typeof ToChild>;

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "a Uint8Array");

const PackedPlane = z.object({
  promptId: z.string(),
  axis: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  index: z.int().nonnegative(),
  existence: z.number().min(0).max(1).nullable(),
  /** The plane's mask, one bit a pixel, LSB first; absent where empty. */
  bits: bytes.optional(),
  probability: bytes.optional(),
  /** As `bits`. */
  edges: bytes.optional(),
  disagreement: z.number().min(0).max(1).optional(),
});
/** One prompt on one plane of the volume's own grid, as it travels. */
export type PackedPlane = z.infer<typeof PackedPlane>;

/** What an inference process says to the server. A run ends with `done` or `failed`. */
export const FromChild = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), provider: ProviderStatus }),
  z.object({ kind: z.literal("voxels"), needed: z.boolean() }),
  z.object({
    kind: z.literal("progress"),
    stage: z.enum(["prepare", "infer"]),
    fraction: z.number().min(0).max(1),
  }),
  /** Something that the user should know of the result, in plain words. */
  z.object({ kind: z.literal("note"), text: z.string() }),
  z.object({ kind: z.literal("planes"), planes: z.array(PackedPlane) }),
  z.object({ kind: z.literal("done") }),
  z.object({ kind: z.literal("failed"), error: WireErrorSchema }),
]);
export type FromChild = z.infer<typeof FromChild>;
