import type { Vec3 } from "#converters/geometry/index.ts";
import { planeSize, planeWalk } from "#converters/mask/index.ts";
import { chooseSliceAxis, sliceInput, sliceOutput, upsampleAntialiased } from "#converters/pixels/index.ts";
import { openTensorFile, type TensorFile } from "./tensor-file.ts";
import { openFile } from "./weights/byte-source.ts";

export interface PipelineAgreement {
  /** Volumes that were compared, each with all that the file knows of it. */
  readonly cases: number;
  /** Names of the file's tensors that ours differ from. */
  readonly different: readonly string[];
}

/** Upsampled logits may differ by rounding; float pictures, which are cut to whole numbers, by one level here and there. */
const UPSAMPLED_TOLERANCE = 1e-4;
const OFF_BY_ONE_SHARE = 1e-3;

const THRESHOLDS = { mask: 0.5, existence: 0.5, nmsIou: 0.5 } as const;

/**
 * Compares all that happens around the network with a file of golden data of upstream's own code: for each `X.volume` the
 * network's pictures `X.slices`, and where they are there `X.upsampled`, `X.labels` and `X.labels_first_prompt_alone`.
 *
 * @throws ModelBundleError where the file is no such file
 */
export async function verifyPipeline(goldenFile: string): Promise<PipelineAgreement> {
  await using source = await openFile(goldenFile);
  const file = await openTensorFile(source);
  const cases = file.names.filter((name) => name.endsWith(".volume")).map((name) => name.slice(0, -".volume".length));
  const different: string[] = [];
  for (const name of cases) {
    const report = (part: string, agrees: boolean) => {
      if (!agrees) different.push(`${name}.${part}`);
    };
    const volume = await readVolume(file, name);
    report("slices", await slicesAgree(file, name, volume));
    if (!file.names.includes(`${name}.mask_logits`)) continue;
    const answers = await readAnswers(file, name, volume);
    report("upsampled", await upsampledAgrees(file, name, answers));
    report("labels", await labelsAgree(file, `${name}.labels`, answers, answers.prompts));
    report("labels_first_prompt_alone", await labelsAgree(file, `${name}.labels_first_prompt_alone`, answers, 1));
  }
  return { cases: cases.length, different };
}

interface PipelineVolume {
  readonly voxels: Uint8Array | Float32Array;
  readonly size: Vec3;
  readonly axis: 0 | 1 | 2;
}

async function readVolume(file: TensorFile, name: string): Promise<PipelineVolume> {
  const isBytes = name.endsWith("uint8");
  const { shape, values } = await file.read(`${name}.volume`, isBytes ? "U8" : "F32");
  const [nk = 0, nj = 0, ni = 0] = shape;
  return { voxels: values, size: [ni, nj, nk], axis: chooseSliceAxis([nk, nj, ni]) };
}

async function slicesAgree(file: TensorFile, name: string, { voxels, size, axis }: PipelineVolume): Promise<boolean> {
  const { shape, values } = await file.read(`${name}.slices`, "I16");
  const [planes = 0, side = 0] = shape;
  const input = sliceInput(voxels, size, axis, side);
  if (input.planes !== planes) return false;
  const channels = new Float32Array(3 * side * side);
  let offByOne = 0;
  for (let index = 0; index < planes; index++) {
    input.writeChannels(index, channels, 0);
    for (let p = 0; p < side * side; p++) {
      const difference = Math.abs(channels[p]! - values[index * side * side + p]!);
      if (difference > 1) return false;
      if (difference > 0) offByOne++;
    }
  }
  return voxels instanceof Uint8Array ? offByOne === 0 : offByOne <= OFF_BY_ONE_SHARE * values.length;
}

/** What a network would have answered for a volume: [prompts, planes, logitSize, logitSize] and [prompts, planes]. */
interface PipelineAnswers extends PipelineVolume {
  readonly masks: Float32Array;
  readonly existence: Float32Array;
  readonly prompts: number;
  readonly planes: number;
  readonly logitSize: number;
  readonly imageSize: number;
}

async function readAnswers(file: TensorFile, name: string, volume: PipelineVolume): Promise<PipelineAnswers> {
  const masks = await file.read(`${name}.mask_logits`, "F32");
  const existence = await file.read(`${name}.existence_logits`, "F32");
  const [prompts = 0, planes = 0, logitSize = 0] = masks.shape;
  const { shape } = await file.read(`${name}.slices`, "I16");
  return {
    ...volume,
    masks: masks.values,
    existence: existence.values,
    prompts,
    planes,
    logitSize,
    imageSize: shape[1] ?? 0,
  };
}

async function upsampledAgrees(file: TensorFile, name: string, answers: PipelineAnswers): Promise<boolean> {
  const { masks, prompts, planes, logitSize, imageSize } = answers;
  const { values } = await file.read(`${name}.upsampled`, "F32");
  const from = [logitSize, logitSize] as const;
  const to = [imageSize, imageSize] as const;
  for (let n = 0; n < prompts * planes; n++) {
    const ours = upsampleAntialiased(masks.subarray(n * logitSize ** 2, (n + 1) * logitSize ** 2), from, to);
    const known = values.subarray(n * imageSize ** 2, (n + 1) * imageSize ** 2);
    if (ours.some((logit, p) => !(Math.abs(logit - known[p]!) <= UPSAMPLED_TOLERANCE))) return false;
  }
  return true;
}

async function labelsAgree(file: TensorFile, name: string, answers: PipelineAnswers, asked: number): Promise<boolean> {
  const { values } = await file.read(name, "U8");
  return Buffer.compare(labelsOf(answers, asked), values) === 0;
}

/** The first `asked` prompts' answers as upstream's label map: prompt n is n + 1. */
function labelsOf(answers: PipelineAnswers, asked: number): Uint8Array {
  const { size, axis, masks, existence, planes, logitSize, imageSize } = answers;
  const [width, height] = planeSize(size, axis);
  const output = sliceOutput({
    plane: [width, height],
    imageSize,
    logitSize,
    nearest: "corner",
    prompts: asked,
    merge: "exclusive",
    thresholds: THRESHOLDS,
    probabilities: false,
  });
  const labels = new Uint8Array(size[0] * size[1] * size[2]);
  const logits = new Float32Array(asked * logitSize ** 2);
  for (let index = 0; index < planes; index++) {
    for (let p = 0; p < asked; p++) {
      const start = (p * planes + index) * logitSize ** 2;
      logits.set(masks.subarray(start, start + logitSize ** 2), p * logitSize ** 2);
    }
    const scores = Float32Array.from({ length: asked }, (_, p) => existence[p * planes + index]!);
    const { start, stepAcross, stepDown } = planeWalk(size, axis, index);
    for (const [p, { mask }] of output(logits, scores).entries()) {
      for (let pixel = 0; pixel < (mask?.length ?? 0); pixel++)
        if (mask![pixel]) labels[start + (pixel % width) * stepAcross + Math.floor(pixel / width) * stepDown] = p + 1;
    }
  }
  return labels;
}
