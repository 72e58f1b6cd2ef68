/** Decodes the bytes of one text element, all its values and the "\" between them. */
export type TextDecode = (bytes: Uint8Array) => string;

/**
 * The decoder for a Specific Character Set (0008,0005), PS3.3 section C.12.1.1.2: single-byte sets, UTF-8, GB18030 and
 * GBK, and code extensions by escape sequences (ISO 2022) where there are several values. An unknown set falls
 * back to UTF-8, then to Latin-1: a wrong accent must not stop a segmentation.
 */
export function textDecoder(definedTerms: readonly string[]): TextDecode {
  const terms = definedTerms.map((term) => term.trim().toUpperCase().replaceAll(" ", "_").replace("ISO-IR", "ISO_IR"));
  const first = terms[0] ?? "";
  if (terms.length > 1 || first.startsWith("ISO_2022")) {
    const initial = LABELS[first.replace("ISO_2022_IR", "ISO_IR")] ?? "latin1";
    return (bytes) => (isAscii(bytes) ? ascii(bytes) : decodeWithEscapes(bytes, initial));
  }
  const label = LABELS[first];
  const decode = label === undefined ? decodeUnknown : (bytes: Uint8Array) => decoderFor(label).decode(bytes);
  return (bytes) => (isAscii(bytes) ? ascii(bytes) : decode(bytes));
}

/** PS3.3 tables C.12-2 to C.12-5: defined terms and the names by which TextDecoder knows them. */
const LABELS: Readonly<Record<string, string>> = {
  "": "latin1",
  ISO_IR_6: "latin1",
  ISO_IR_100: "latin1",
  ISO_IR_101: "iso-8859-2",
  ISO_IR_109: "iso-8859-3",
  ISO_IR_110: "iso-8859-4",
  ISO_IR_144: "iso-8859-5",
  ISO_IR_127: "iso-8859-6",
  ISO_IR_126: "iso-8859-7",
  ISO_IR_138: "iso-8859-8",
  ISO_IR_148: "iso-8859-9",
  ISO_IR_203: "iso-8859-15",
  ISO_IR_13: "shift_jis",
  ISO_IR_166: "windows-874",
  ISO_IR_192: "utf-8",
  ISO_IR_149: "euc-kr",
  ISO_IR_58: "gbk",
  ISO_IR_87: "iso-2022-jp",
  ISO_IR_159: "iso-2022-jp",
  GB18030: "gb18030",
  GBK: "gbk",
};

/** Escape sequences of PS3.3 tables C.12-3 and C.12-4, without the ESC, and how the bytes after them are read. */
const ESCAPES: readonly { readonly sequence: string; readonly read: "ascii" | "jis0208" | "jis0212" | string }[] = [
  { sequence: "(B", read: "ascii" },
  { sequence: "(J", read: "ascii" },
  { sequence: ")I", read: "shift_jis" },
  { sequence: "$B", read: "jis0208" },
  { sequence: "$@", read: "jis0208" },
  { sequence: "$(D", read: "jis0212" },
  { sequence: "$)C", read: "euc-kr" },
  { sequence: "$)A", read: "gbk" },
  { sequence: "-A", read: "latin1" },
  { sequence: "-B", read: "iso-8859-2" },
  { sequence: "-C", read: "iso-8859-3" },
  { sequence: "-D", read: "iso-8859-4" },
  { sequence: "-L", read: "iso-8859-5" },
  { sequence: "-G", read: "iso-8859-6" },
  { sequence: "-F", read: "iso-8859-7" },
  { sequence: "-H", read: "iso-8859-8" },
  { sequence: "-M", read: "iso-8859-9" },
  { sequence: "-T", read: "windows-874" },
  { sequence: "-b", read: "iso-8859-15" },
];

const ESC = 0x1b;

function decodeWithEscapes(bytes: Uint8Array, initial: string): string {
  let text = "";
  let set = initial;
  let start = 0;
  while (start < bytes.length) {
    const escapeAt = bytes.indexOf(ESC, start);
    const end = escapeAt < 0 ? bytes.length : escapeAt;
    text += decodeRun(bytes.subarray(start, end), set);
    if (escapeAt < 0) break;
    const sequence = ascii(bytes.subarray(escapeAt + 1, escapeAt + 4));
    const found = ESCAPES.find((candidate) => sequence.startsWith(candidate.sequence));
    set = found?.read ?? "latin1";
    // A G1 set leaves ASCII in place, so both live in one decoder; "ascii" goes back to the initial G1 set.
    if (set === "ascii") set = initial;
    start = escapeAt + 1 + (found?.sequence.length ?? 0);
  }
  return text;
}

function decodeRun(bytes: Uint8Array, set: string): string {
  if (set !== "jis0208" && set !== "jis0212") return decoderFor(set).decode(bytes);
  // The 94x94 sets in their 7-bit form are EUC-JP with the high bits set (JIS X 0212 behind 0x8F).
  const euc: number[] = [];
  for (let n = 0; n < bytes.length; ) {
    const lead = bytes[n]!;
    if (lead < 0x21 || lead > 0x7e || n + 1 >= bytes.length) {
      euc.push(lead);
      n += 1;
      continue;
    }
    if (set === "jis0212") euc.push(0x8f);
    euc.push(lead | 0x80, bytes[n + 1]! | 0x80);
    n += 2;
  }
  return decoderFor("euc-jp").decode(Uint8Array.from(euc));
}

function decodeUnknown(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return decoderFor("latin1").decode(bytes);
  }
}

type Decoder = InstanceType<typeof TextDecoder>;

const decoders = new Map<string, Decoder>();

function decoderFor(label: string): Decoder {
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let n = 0; n < bytes.length; n++) {
    const byte = bytes[n]!;
    if (byte >= 0x80 || byte === ESC) return false;
  }
  return true;
}

/** Takes any bytes: to make a Buffer of them first takes longer than the text. */
const { latin1Slice } = Buffer.prototype;

/** Bytes below 0x80 as text; larger ones as Latin-1. */
export function ascii(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length);
}
