import { type ByteSource, damagedWeights, unusableWeights } from "./byte-source.ts";
import { isNode, type PickleNode, type PickleObject, type PickleValue, readPickle } from "./pickle.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import { locateContents, readZipDirectory, type ZipEntry } from "./zip-directory.ts";

const PICKLE_LIMIT_BYTES = 64 * 2 ** 20;
const TENSOR = "torch._utils._rebuild_tensor_v2";
const PARAMETER = "torch._utils._rebuild_parameter";
const FLOAT32_STORAGE = "torch.FloatStorage";
const FLOAT32_BYTES = 4;

/** What the training program puts before the network's own names. */
const MODEL_PREFIX = "model.";
/** Of the training, not of the network. */
const LOSS_PREFIX = "loss_function.";

/**
 * Tensors of the network in a checkpoint of torch.save (1.6 or newer: a zip with data.pkl), or of PyTorch Lightning. The
 * pickle is read as a description; nothing in it runs. An optimizer's state is left where it is.
 *
 * @throws ModelBundleError where the file is damaged or hostile, or a tensor is not contiguous float32
 */
export async function readPyTorchCheckpoint(source: ByteSource): Promise<ReadonlyMap<string, StoredTensor>> {
  const entries = await readZipDirectory(source);
  const root = rootOf(source, entries);
  await checkByteOrder(source, entries.get(`${root}byteorder`));
  const state = stateDict(source, parse(source, await readPickleBytes(source, entries.get(`${root}data.pkl`))));
  const storages = new Map<string, number>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of networkTensors(source, state)) {
    const { shape, start, count, storage } = describeTensor(source, name, value);
    const entry = entries.get(`${root}data/${storage}`);
    if (entry === undefined) throw damagedWeights(source.name, `lacks the values of "${name}"`);
    if (entry.size !== count * FLOAT32_BYTES)
      throw damagedWeights(source.name, `has ${entry.size} bytes for "${name}" in place of ${count * FLOAT32_BYTES}`);
    const contents = storages.get(storage) ?? (await locateContents(source, entry));
    storages.set(storage, contents);
    tensors.set(name, { shape, offset: contents + start * FLOAT32_BYTES });
  }
  return tensors;
}

/** Everything in the zip lies in one folder, whatever its name. */
function rootOf(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const roots = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = roots;
  if (pickle === undefined || roots.length > 1)
    throw unusableWeights(source.name, "is a zip, and not one that PyTorch saved (it has no data.pkl)");
  return pickle.slice(0, -"data.pkl".length);
}

async function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = await source.read(await locateContents(source, entry), Math.min(entry.size, 16));
  if (new TextDecoder().decode(order) !== "little")
    throw unusableWeights(source.name, "was saved on a big-endian machine");
}

async function readPickleBytes(source: ByteSource, entry: ZipEntry | undefined): Promise<Uint8Array> {
  const size = entry?.size ?? 0;
  if (entry === undefined || size > PICKLE_LIMIT_BYTES)
    throw unusableWeights(source.name, `has a table of contents (data.pkl) of ${size} bytes`);
  return source.read(await locateContents(source, entry), size);
}

function parse(source: ByteSource, pickle: Uint8Array): PickleValue {
  try {
    return readPickle(pickle);
  } catch (cause) {
    throw damagedWeights(source.name, "has a table of contents (data.pkl) that cannot be read", { cause });
  }
}

type Entries = ReadonlyMap<PickleValue, PickleValue>;

/** A dict or an OrderedDict; undefined for anything else. */
function entriesOf(value: PickleValue | undefined): Entries | undefined {
  if (!isNode(value) || !("entries" in value)) return undefined;
  return value.kind === "dict" || globalName(value.of) === "collections.OrderedDict" ? value.entries : undefined;
}

function stateDict(source: ByteSource, document: PickleValue): Entries {
  const top = entriesOf(document);
  const state = top?.has("state_dict") ? entriesOf(top.get("state_dict")) : top;
  if (state === undefined) throw unusableWeights(source.name, "holds no state dict");
  return state;
}

/** The network's own entries under their own names. */
function networkTensors(source: ByteSource, state: Entries): readonly (readonly [string, PickleValue])[] {
  const named = [...state].map(([name, value]) => {
    if (typeof name !== "string" || name.length > 512)
      throw damagedWeights(source.name, "has a tensor whose name is no text");
    return [name, value] as const;
  });
  const prefix = named.some(([name]) => name.startsWith(MODEL_PREFIX)) ? MODEL_PREFIX : "";
  return named.flatMap(([name, value]) => {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    if (own.startsWith(LOSS_PREFIX)) return [];
    if (!name.startsWith(prefix)) throw unusableWeights(source.name, `has the unknown tensor "${name}"`);
    return [[own, value] as const];
  });
}

interface TensorDescription {
  readonly shape: readonly number[];
  /** Values before its first in the storage. */
  readonly start: number;
  /** Values of the whole storage. */
  readonly count: number;
  /** Name of the storage. */
  readonly storage: string;
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`, in torch/_utils.py. */
function describeTensor(source: ByteSource, name: string, value: PickleValue): TensorDescription {
  const damaged = (how: string) => damagedWeights(source.name, `describes "${name}" ${how}`);
  const [storageId, start, size, stride] = argumentsOf(tensorCall(value)) ?? [];
  const shape = counts(size);
  const strides = counts(stride);
  if (!isCount(start) || shape === undefined || strides?.length !== shape.length)
    throw damaged("as something that is no tensor");
  const [type, storage, count] = storageOf(storageId) ?? [];
  if (type === undefined || storage === undefined || count === undefined) throw damaged("without a storage");
  if (type !== FLOAT32_STORAGE)
    throw unusableWeights(source.name, `keeps "${name}" as ${type}; only float32 can be used in place`);
  const values = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(values) || start + values > count) throw damaged("as larger than its storage");
  if (!isContiguous(shape, strides))
    throw unusableWeights(source.name, `keeps "${name}" as a view that is not contiguous`);
  return { shape, start, count, storage };
}

/** A parameter is a tensor and what training knows of it. */
function tensorCall(value: PickleValue): PickleObject | undefined {
  const call = asCall(value, PARAMETER);
  return asCall(call === undefined ? value : argumentsOf(call)?.[0], TENSOR);
}

function asCall(value: PickleValue | undefined, name: string): PickleObject | undefined {
  return isNode(value) && value.kind === "object" && globalName(value.of) === name ? value : undefined;
}

function argumentsOf(call: PickleObject | undefined): readonly PickleValue[] | undefined {
  return isNode(call?.args) && call.args.kind === "tuple" ? call.args.items : undefined;
}

/** ("storage", type, key, device, count) -> type, key and count. */
function storageOf(value: PickleValue | undefined): readonly [string, string, number] | undefined {
  if (!isNode(value) || value.kind !== "persistent" || !isNode(value.id) || value.id.kind !== "tuple") return undefined;
  const [tag, type, key, , count] = value.id.items;
  const typeName = isNode(type) ? globalName(type) : undefined;
  if (tag !== "storage" || typeName === undefined || typeof key !== "string" || !isCount(count)) return undefined;
  return [typeName, key, count];
}

function globalName(value: PickleNode | PickleValue): string | undefined {
  return isNode(value) && value.kind === "global" ? value.name : undefined;
}

function counts(value: PickleValue | undefined): readonly number[] | undefined {
  if (!isNode(value) || value.kind !== "tuple" || value.items.length > 8) return undefined;
  return value.items.every(isCount) ? value.items : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** In C order without gaps. The stride of a dimension of length 1 means nothing. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 0;
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}
