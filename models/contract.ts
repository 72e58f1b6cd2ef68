import { z } from "zod";
import { Code, cardFields, FileRef, TargetName } from "./card-fields.ts";

/**
 * Names and dtypes of the text graph's tensors. `input_ids` is [P, contextLength], `token_embeddings`
 * [P, contextLength, hiddenDim], with P prompts.
 */
export const TEXT_GRAPH = {
  input: { name: "input_ids", dtype: "int64" },
  output: { name: "token_embeddings", dtype: "float32" },
} as const;

/**
 * Names and dtypes of the image graph's tensors, with S slices of N x N pixels, P prompts of L tokens and M = N / maskStride:
 * `image` [S, 3, N, N] holds raw grey values 0..255 (normalisation is the graph's), `text_tokens` is [L, P, hiddenDim],
 * `mask_logits` and the optional `edge_logits` are [S, P, M, M], `existence_logits` [S, P].
 */
export const IMAGE_GRAPH = {
  image: { name: "image", dtype: "float32" },
  textTokens: { name: "text_tokens", dtype: "float32" },
  maskLogits: { name: "mask_logits", dtype: "float32" },
  existenceLogits: { name: "existence_logits", dtype: "float32" },
  edgeLogits: { name: "edge_logits", dtype: "float32" },
} as const;

/**
 * The image model may be there in two halves as well, so that one look at the image serves many questions: the encoder takes
 * `image` and gives features [S, ...]; the decoder takes those by the same names, `text_tokens`, and where sampling is frozen
 * its noise as inputs `noise_0`, `noise_1`, ... It answers as the whole does.
 */
export const NOISE_INPUT = "noise_";

/** Three letters: which way the patient lies along increasing column (i), row (j) and slice (k); "LPS" is a plain axial CT. */
export const AxisCodes = z
  .string()
  .regex(/^[LRAPSI]{3}$/)
  .refine((codes) => {
    const axes = new Set([...codes].map((letter) => ("LR".includes(letter) ? "x" : "AP".includes(letter) ? "y" : "z")));
    return axes.size === 3;
  }, "one letter of each of L/R, A/P and S/I");

const Window = z.object({ width: z.number().positive(), level: z.number() }).readonly();

/** HU windows by name, and the one for what has none of its own. */
export const CtWindows = z
  .object({ presets: z.record(z.string(), Window).readonly(), default: z.string() })
  .readonly()
  .refine((windows) => Object.hasOwn(windows.presets, windows.default), "the default window is one of the presets");

/** Percentiles of the grey values (of those above zero where `positiveOnly`) that become 0 and 255. */
export const Percentiles = z
  .object({ low: z.number().min(0).max(100), high: z.number().min(0).max(100), positiveOnly: z.boolean() })
  .readonly()
  .refine(({ low, high }) => low < high, "low is below high");

/** What a text-prompted model can be asked for, or is recommended for. */
export const TextTargets = z
  .array(
    z
      .object({
        name: TargetName,
        synonyms: z.array(TargetName).readonly(),
        code: Code.exactOptional(),
        /** For CT: the preset of `windows` that shows it. */
        window: z.string().exactOptional(),
      })
      .readonly(),
  )
  .readonly();

const Probability = z.number().min(0).max(1);

/**
 * A small question with a known answer: it proves that graphs, weights and runtime on this machine agree with those of
 * the machine that built the bundle.
 */
const GoldenSample = z
  .object({
    prompts: z.array(z.string()).min(1).max(16).readonly(),
    /** One row of token ids for each prompt, start and end included, not padded. */
    inputIds: z.array(z.array(z.int().nonnegative()).readonly()).readonly(),
    /** Grey values of a grid of equal rectangles that fill the image, the same in all three channels. */
    blocks: z
      .array(z.array(z.number().min(0).max(255)).min(1).readonly())
      .min(1)
      .readonly(),
    /** One for each prompt. */
    existenceLogits: z.array(z.number()).readonly(),
    /** Picked pixels of the mask, on its own grid. */
    maskLogits: z
      .array(
        z
          .object({
            prompt: z.int().nonnegative(),
            row: z.int().nonnegative(),
            column: z.int().nonnegative(),
            logit: z.number(),
          })
          .readonly(),
      )
      .min(1)
      .readonly(),
    /** Largest difference that is still agreement. */
    tolerance: z.number().positive(),
  })
  .readonly()
  .superRefine((golden, context) => {
    if (golden.inputIds.length !== golden.prompts.length || golden.existenceLogits.length !== golden.prompts.length)
      context.addIssue({ code: "custom", message: "inputIds and existenceLogits hold one entry for each prompt" });
    if (golden.maskLogits.some(({ prompt }) => prompt >= golden.prompts.length))
      context.addIssue({ code: "custom", message: "maskLogits name a prompt that is not there" });
    if (golden.blocks.some((row) => row.length !== golden.blocks[0]?.length))
      context.addIssue({ code: "custom", message: "every row of blocks is of the same length" });
  });

/** A known question and its answer, inside the manifest. */
export type GoldenSample = z.infer<typeof GoldenSample>;

/** Graphs in float16 but for what that is too coarse for, and how far they are from the same network in float32. */
const HalfPrecision = z
  .object({
    kind: z.literal("float16"),
    /** On the golden sample's picture and prompts, where the bundle was built. */
    agreement: z
      .object({
        /** What computed both. */
        on: z.string(),
        /** Largest and mean difference of a mask logit, and the spread (standard deviation) of the logits. */
        maskLogits: z.object({ largest: z.number(), mean: z.number(), spread: z.number() }).readonly(),
        /** Of the pixels, the share that is on the same side of the mask threshold. */
        samePixels: z.number(),
        existenceLogits: z.object({ largest: z.number() }).readonly(),
      })
      .readonly(),
  })
  .readonly();

/** manifest.json of a text-prompted model: two ONNX graphs, and all that the host must know to feed them. */
export const BundleManifest = z
  .object({
    ...cardFields,
    engine: z.literal("bundle"),
    /** `open`: any words may be asked, `targets` are those recommended; `closed`: nothing else is known. */
    vocabulary: z.enum(["open", "closed"]),
    targets: TextTargets,
    /**
     * What the text graph reads of a prompt that names a recommended target of the image's modality: the words as they were
     * typed (upstream's way, and where this is absent), or the sentence of `models/vocabulary`. Other prompts go as typed.
     */
    phrasing: z.enum(["as-typed", "sentence"]).exactOptional(),
    /** Of the published weights file, where there is one. */
    checkpointSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .exactOptional(),
    opset: z.int().positive(),
    /** What the graphs compute in, where that is not float32 throughout. */
    precision: HalfPrecision.exactOptional(),
    /** Program -> version that made the graphs. */
    exporter: z.record(z.string(), z.string()).readonly(),

    /** Side of the square that the image graph sees, pixels. */
    imageSize: z.int().min(8).max(4096),
    hiddenDim: z.int().min(1).max(8192),
    /** Pixels of the image to one of the mask. */
    maskStride: z.int().min(1).max(64),
    /** Tokens to a prompt, start and end included. */
    contextLength: z.int().min(3).max(4096),
    /** What happens to a prompt of more tokens: cut with a note, or refused. */
    overlongPrompts: z.enum(["cut", "refuse"]),
    /**
     * `zeros-unmasked`: shorter prompts of a batch are padded with zero tokens that the network sees (upstream's way, so a
     * result depends on its neighbours); `isolate`: only prompts of equal length share a run.
     */
    padding: z.enum(["zeros-unmasked", "isolate"]),

    /** What the three channels of slice i hold. */
    channelOrder: z.tuple([z.literal("current"), z.literal("previous"), z.literal("next")]).readonly(),
    /** What stands for the neighbour of the first and last slice: `reflect` is its other neighbour. */
    endRule: z.literal("reflect"),
    /** Grey values before the resize: `uint8` rounds twice as Pillow does, `float32` not at all. */
    input: z.object({ dtype: z.enum(["uint8", "float32"]) }).readonly(),
    /** Bicubic coefficients of the way in, and of the way back from the mask's grid: upstream's, there are no others. */
    resize: z.object({ in: z.literal(-0.75), out: z.literal(-0.5) }).readonly(),
    /** Which pixel of the picture answers for a pixel of the slice: `corner` is upstream's (converters/pixels, NearestRule). */
    nearest: z.enum(["corner", "centre"]).default("corner"),
    /** For CT: HU windows by name, and the one for prompts that name no target, or one without a window of its own. */
    windows: CtWindows,
    /** For everything but CT: the percentiles of the grey values (of those above zero where `positiveOnly`) that become 0 and 255. */
    percentiles: Percentiles,
    /** Which axis is cut into slices: `upstream` is decided by the shape alone, `axial` by the patient's feet-head direction. */
    sliceAxis: z.enum(["upstream", "axial"]),
    /** Isotropic voxel size to resample to first, mm; absent: none. */
    resampleMm: z.number().positive().exactOptional(),
    /** What columns, rows and slices of the volume must point to, or `any` where the model does not care. */
    orientation: z.union([z.literal("any"), AxisCodes]),
    sampling: z
      .discriminatedUnion("mode", [
        z.object({ mode: z.literal("none") }),
        z.object({
          mode: z.literal("frozen"),
          seed: z.int().nonnegative(),
          /** Shapes of the decoder's noise inputs, in their order; absent where there is no decoder apart. */
          noise: z.array(z.array(z.int().positive()).readonly()).readonly().exactOptional(),
        }),
      ])
      .readonly(),
    thresholds: z.object({ mask: Probability, existence: Probability, nmsIou: Probability }).readonly(),

    files: z
      .object({
        textEncoder: FileRef,
        imageModel: FileRef,
        /** The image model in two halves: both, or neither. */
        imageEncoder: FileRef.exactOptional(),
        promptDecoder: FileRef.exactOptional(),
        /** A Hugging Face tokenizer.json; absent: CLIP's own vocabulary. */
        tokenizer: FileRef.exactOptional(),
        /** Files that the graphs point into. */
        weights: z.array(FileRef).readonly(),
      })
      .readonly(),
    golden: GoldenSample,
  })
  .readonly()
  .refine((manifest) => manifest.imageSize % manifest.maskStride === 0, "maskStride divides imageSize")
  .refine(
    ({ targets, windows }) =>
      targets.every(({ window }) => window === undefined || Object.hasOwn(windows.presets, window)),
    { path: ["targets"], message: "a target's window is one of the presets" },
  );

export type BundleManifest = z.infer<typeof BundleManifest>;
