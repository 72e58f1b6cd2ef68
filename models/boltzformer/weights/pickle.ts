import { PickleError, PickleReader } from "./pickle-reader.ts";

/**
 * What a pickle describes. Nothing of it is ever called or imported: a global stays its name, and a call stays the name of
 * what would have been called and its arguments. Lists, dicts and objects may hold themselves.
 */
export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleNode;

export type PickleNode = PickleTuple | PickleList | PickleDict | PickleGlobal | PickleObject | PersistentId;

export interface PickleTuple {
  readonly kind: "tuple";
  readonly items: readonly PickleValue[];
}

/** A list, set or frozenset. */
export interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: "dict";
  readonly entries: Map<PickleValue, PickleValue>;
}

export interface PickleGlobal {
  readonly kind: "global";
  /** Module and name, with a dot between: "collections.OrderedDict". */
  readonly name: string;
}

/** What a call would have made, and what would have been done to it. */
export interface PickleObject {
  readonly kind: "object";
  readonly of: PickleValue;
  readonly args: PickleValue;
  readonly items: PickleValue[];
  readonly entries: Map<PickleValue, PickleValue>;
}

/** Something outside the pickle: for PyTorch a storage. */
export interface PersistentId {
  readonly kind: "persistent";
  readonly id: PickleValue;
}

/** Integers beyond are refused: no checkpoint counts so far. */
const LONGEST_INTEGER_BYTES = 256;
const HIGHEST_PROTOCOL = 5;

/**
 * Reads one pickle. Time and memory are proportional to the bytes; nothing is recursive.
 *
 * @throws PickleError
 */
export function readPickle(bytes: Uint8Array): PickleValue {
  const reader = new PickleReader(bytes);
  const machine = new Machine();
  for (;;) {
    const at = reader.position;
    const opcode = reader.uint8();
    if (opcode === STOP) return machine.pop();
    const step = STEPS[opcode];
    if (step === undefined) throw new PickleError(`unknown opcode ${opcode} at byte ${at}`);
    step(machine, reader);
  }
}

/** A mark on the stack is a value of no pickle. */
const MARK = Symbol("mark");

/** The stack and memo of a pickle program (CPython's Lib/pickletools.py says what each opcode does to them). */
class Machine {
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw new PickleError("the stack is empty");
    return value;
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw new PickleError("the stack is empty");
    return value;
  }

  mark(): void {
    this.#stack.push(MARK);
  }

  discard(): void {
    if (this.#stack.pop() === undefined) throw new PickleError("the stack is empty");
  }

  /** Everything above the last mark; the mark goes too. */
  popMarked(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw new PickleError("a mark is missing");
    const values = this.#stack.splice(at);
    return values.slice(1) as PickleValue[];
  }

  popText(): string {
    const value = this.pop();
    if (typeof value !== "string") throw new PickleError("a name is not text");
    return value;
  }

  remember(key: number): void {
    this.#memo.set(key, this.top());
  }

  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw new PickleError("nothing was remembered under that number");
    this.push(value);
  }

  tuple(items: readonly PickleValue[]): void {
    this.push({ kind: "tuple", items });
  }

  object(of: PickleValue, args: PickleValue): void {
    this.push({ kind: "object", of, args, items: [], entries: new Map() });
  }

  append(values: readonly PickleValue[]): void {
    const target = this.top();
    if (!isNode(target) || !("items" in target) || target.kind === "tuple")
      throw new PickleError("something is appended to what is no list");
    for (const value of values) target.items.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    const target = this.top();
    if (!isNode(target) || !("entries" in target)) throw new PickleError("an entry is set of what is no dict");
    if (values.length % 2 !== 0) throw new PickleError("a key has no value");
    for (let n = 0; n < values.length; n += 2) target.entries.set(values[n]!, values[n + 1]!);
  }
}

export function isNode(value: PickleValue | undefined): value is PickleNode {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

type Step = (machine: Machine, reader: PickleReader) => void;

const STOP = ".".charCodeAt(0);

/** By opcode. Left out are those that need the program's own registry (EXT1…) or buffers beside the pickle. */
const STEPS: readonly (Step | undefined)[] = byOpcode({
  // Framing and the stack
  128: (_, r) => {
    const protocol = r.uint8();
    if (protocol > HIGHEST_PROTOCOL) throw new PickleError(`protocol ${protocol} is not known`);
  },
  149: (_, r) => void r.uint64(),
  "(": (m) => m.mark(),
  "0": (m) => m.discard(),
  "1": (m) => void m.popMarked(),
  "2": (m) => m.push(m.top()),
  // Memo
  p: (m, r) => m.remember(r.decimal()),
  q: (m, r) => m.remember(r.uint8()),
  r: (m, r) => m.remember(r.uint32()),
  148: (m) => m.memoize(),
  g: (m, r) => m.recall(r.decimal()),
  h: (m, r) => m.recall(r.uint8()),
  j: (m, r) => m.recall(r.uint32()),
  // Constants and numbers
  N: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  I: (m, r) => {
    const text = r.line();
    m.push(text === "01" ? true : text === "00" ? false : integer(text));
  },
  L: (m, r) => m.push(integer(r.line().replace(/L$/, ""))),
  J: (m, r) => m.push(r.int32()),
  K: (m, r) => m.push(r.uint8()),
  M: (m, r) => m.push(r.uint16()),
  138: (m, r) => m.push(littleEndian(r, r.uint8())),
  139: (m, r) => m.push(littleEndian(r, r.uint32())),
  F: (m, r) => m.push(Number(r.line())),
  G: (m, r) => m.push(r.float64()),
  // Text and bytes
  S: (m, r) => m.push(r.line()),
  T: (m, r) => m.push(r.latin1(r.uint32())),
  U: (m, r) => m.push(r.latin1(r.uint8())),
  V: (m, r) => m.push(r.line()),
  X: (m, r) => m.push(r.utf8(r.uint32())),
  140: (m, r) => m.push(r.utf8(r.uint8())),
  141: (m, r) => m.push(r.utf8(r.uint64())),
  B: (m, r) => m.push(r.bytes(r.uint32())),
  C: (m, r) => m.push(r.bytes(r.uint8())),
  142: (m, r) => m.push(r.bytes(r.uint64())),
  150: (m, r) => m.push(r.bytes(r.uint64())),
  // Containers
  "]": (m) => m.push({ kind: "list", items: [] }),
  l: (m) => m.push({ kind: "list", items: m.popMarked() }),
  a: (m) => {
    const value = m.pop();
    m.append([value]);
  },
  e: (m) => m.append(m.popMarked()),
  143: (m) => m.push({ kind: "list", items: [] }),
  144: (m) => m.append(m.popMarked()),
  145: (m) => m.push({ kind: "list", items: m.popMarked() }),
  ")": (m) => m.tuple([]),
  t: (m) => m.tuple(m.popMarked()),
  133: (m) => m.tuple([m.pop()]),
  134: (m) => m.tuple([m.pop(), m.pop()].reverse()),
  135: (m) => m.tuple([m.pop(), m.pop(), m.pop()].reverse()),
  "}": (m) => m.push({ kind: "dict", entries: new Map() }),
  d: (m) => {
    const values = m.popMarked();
    m.push({ kind: "dict", entries: new Map() });
    m.setItems(values);
  },
  s: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.setItems([key, value]);
  },
  u: (m) => m.setItems(m.popMarked()),
  // Globals, calls and what is outside
  c: (m, r) => m.push({ kind: "global", name: `${r.line()}.${r.line()}` }),
  147: (m) => {
    const name = m.popText();
    m.push({ kind: "global", name: `${m.popText()}.${name}` });
  },
  R: call,
  129: call,
  146: (m) => {
    m.pop();
    call(m);
  },
  i: (m, r) => {
    const name = `${r.line()}.${r.line()}`;
    m.object({ kind: "global", name }, { kind: "tuple", items: m.popMarked() });
  },
  o: (m) => {
    const [of, ...items] = m.popMarked();
    if (of === undefined) throw new PickleError("an object has no class");
    m.object(of, { kind: "tuple", items });
  },
  b: (m) => {
    m.pop();
    m.top();
  },
  P: (m, r) => m.push({ kind: "persistent", id: r.line() }),
  Q: (m) => m.push({ kind: "persistent", id: m.pop() }),
});

/** REDUCE and NEWOBJ, without doing either. */
function call(machine: Machine): void {
  const args = machine.pop();
  machine.object(machine.pop(), args);
}

function byOpcode(steps: Readonly<Record<string | number, Step>>): readonly (Step | undefined)[] {
  const table = new Array<Step | undefined>(256).fill(undefined);
  for (const [key, step] of Object.entries(steps)) table[/^\d{2,}$/.test(key) ? Number(key) : key.charCodeAt(0)] = step;
  return table;
}

function integer(text: string): number | bigint {
  if (text.length > 3 * LONGEST_INTEGER_BYTES || !/^[+-]?\d+$/.test(text)) throw new PickleError("a number is none");
  return narrow(BigInt(text.replace(/^\+/, "")));
}

/** Two's complement, as LONG1 and LONG4 have it. */
function littleEndian(reader: PickleReader, length: number): number | bigint {
  if (length > LONGEST_INTEGER_BYTES) throw new PickleError(`a number of ${length} bytes`);
  const hex = [...reader.bytes(length)].reverse().map((byte) => byte.toString(16).padStart(2, "0"));
  return length === 0 ? 0 : narrow(BigInt.asIntN(8 * length, BigInt(`0x${hex.join("")}`)));
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
