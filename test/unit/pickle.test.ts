import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { isNode, type PickleValue, readPickle } from "#models/boltzformer/weights/pickle.ts";
import { PickleError } from "#models/boltzformer/weights/pickle-reader.ts";
import { pickled } from "../fixtures/torch-checkpoint.ts";

/** As plain JavaScript, for comparing: tuples and lists as arrays, dicts as arrays of pairs. */
function plain(value: PickleValue): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (!isNode(value)) return value;
  switch (value.kind) {
    case "tuple":
    case "list":
      return value.items.map(plain);
    case "dict":
      return [...value.entries].map(([key, item]) => [plain(key), plain(item)]);
    case "global":
      return { global: value.name };
    case "persistent":
      return { persistent: plain(value.id) };
    case "object":
      return { call: plain(value.of), args: plain(value.args), items: value.items.length, entries: value.entries.size };
    default:
      return value satisfies never;
  }
}

const PYTHON = `
import pickle, collections, sys, json
class Thing:
    def __init__(self): self.x = 1
values = [None, True, False, 0, 255, 256, 65536, -1, -2**31, 2**40, -2**40, 1.5, "", "text", "\\u00e9\\u4e2d", b"\\x00\\xff",
          (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [1, [2, [3]]], {"a": 1, 2: (3,)}, "x" * 300]
out = []
for protocol in range(6):
    out.append(pickle.dumps(values, protocol).hex())
    out.append(pickle.dumps([collections.OrderedDict([("k", 1)]), Thing(), {1}, frozenset([2]), bytearray(b"ab")], protocol).hex())
print(json.dumps(out))
`;

describe("a pickle", () => {
  const written = JSON.parse(execFileSync("python3", ["-c", PYTHON], { encoding: "utf8" })) as readonly string[];
  const bytes = { values: [0, 255] };

  test.each([0, 1, 2, 3, 4, 5])("of Python's own, protocol %i, is read as it was meant", (protocol) => {
    const values = plain(readPickle(Buffer.from(written[2 * protocol]!, "hex"))) as unknown[];
    const oldBytes = { call: { global: "_codecs.encode" } };
    expect(values.slice(0, 15)).toEqual([
      ...[null, true, false, 0, 255, 256, 65536, -1, -(2 ** 31), 2 ** 40, -(2 ** 40), 1.5, "", "text"],
      protocol === 0 ? expect.any(String) : "é中",
    ]);
    if (protocol >= 3) expect(values[15]).toEqual(bytes.values);
    else expect(values[15]).toMatchObject(oldBytes);
    expect(values.slice(16)).toEqual([
      [],
      [1],
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, [2, [3]]],
      [
        ["a", 1],
        [2, [3]],
      ],
      "x".repeat(300),
    ]);
  });

  test.each([0, 1, 2, 3, 4, 5])("of objects, protocol %i, is described and nothing of it is made", (protocol) => {
    const [ordered, thing] = plain(readPickle(Buffer.from(written[2 * protocol + 1]!, "hex"))) as [object, object];
    expect(ordered).toMatchObject({ call: { global: "collections.OrderedDict" } });
    expect(JSON.stringify(thing)).toContain("__main__.Thing");
  });

  test("that asks for a program is as harmless as its description", () => {
    const shell = pickled.call(pickled.global("os", "system"), pickled.text("touch /tmp/never"));
    expect(plain(readPickle(pickled.file(shell)))).toMatchObject({
      call: { global: "os.system" },
      args: ["touch /tmp/never"],
    });
    for (const name of ["__proto__", "constructor"]) {
      const dict = pickled.dict([[pickled.text(name), pickled.text("own")]]);
      expect(plain(readPickle(pickled.file(dict)))).toEqual([[name, "own"]]);
    }
    expect(Object.hasOwn(Object.prototype, "own")).toBe(false);
  });

  test("nested a million deep, or remembering itself, takes no stack and no more room than it is long", () => {
    const deep = readPickle(
      Buffer.concat([Buffer.alloc(1_000_000, "]"), Buffer.alloc(999_999, "a"), Buffer.from(".")]),
    );
    expect(isNode(deep) && deep.kind).toBe("list");
    const itself = readPickle(Buffer.from("]q\u0000h\u0000a.", "latin1"));
    expect(isNode(itself) && itself.kind === "list" && itself.items[0] === itself).toBe(true);
    const doubling = Buffer.from(`]q\u0000${"h\u0000h\u0000\u0086q\u0000".repeat(100_000)}.`, "latin1");
    expect(isNode(readPickle(doubling))).toBe(true);
  });

  test.each([
    ["that is empty", ""],
    ["without its end", "N"],
    ["that takes from an empty stack", "0."],
    ["that takes a mark for a value", "(R."],
    ["with no mark to go back to", "t."],
    ["that recalls what was never there", "h\u0001."],
    ["of a protocol to come", "\u0080\u0006N."],
    ["with an opcode of no meaning", "\u00ff."],
    ["that needs a registry", "\u0082\u0001."],
    ["that appends to a tuple", ")Na."],
    ["that sets an entry of a list", "]NNs."],
    ["with a key and no value", "}(Nu."],
    ["with a text longer than itself", "X\u00ff\u00ff\u00ff\u007fab."],
    ["with a text longer than any", "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ffab."],
    ["with a number of a million digits", `I${"9".repeat(1_000_000)}\n.`],
    ["with a number of 4 GiB", "\u008b\u00ff\u00ff\u00ff\u00ff."],
    ["with words for a number", "Inine\n."],
    ["with a line that never ends", "cos"],
    ["with a global that has no name", "NN\u0093."],
  ])("%s is refused", (_, text) => {
    expect(() => readPickle(Buffer.from(text, "latin1"))).toThrow(PickleError);
  });
});
