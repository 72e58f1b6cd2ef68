import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readPart10 } from "#converters/dicom/index.ts";
import { byDcmtk } from "../../test/fixtures/dcmtk-encodings.ts";
import { encapsulated, part10 } from "../../test/fixtures/dicom-file.ts";
import { openEncoder } from "../../test/fixtures/image-encoders.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report, type Suite } from "../figure.ts";
import { interleave } from "../interleave.ts";
import { installPeers } from "../peers.ts";

const SLICES = 300;
const SIDE = 512;
const ROUNDS = 5;
/** Where a run takes a fourth of a second, of which writing the file is the most: that varies from run to run. */
const MANY_ROUNDS = 15;
/** Pictures that are encoded; the slices take them in turns, for encoding them all would take longer than the measuring. */
const PICTURES = 30;

const PARSE3D = join(import.meta.dirname, "../../bin/parse3d");
const DCMJS_CODECS = join(import.meta.dirname, "../decode-process.ts");

export const programs: Suite["programs"] = { dcm2niix: ["dcm2niix", "--version"], dcmtk: ["dcmcjpeg", "--version"] };

interface Encoding {
  readonly name: string;
  readonly peer: "dcm2niix" | "dcmjs-codecs";
  readonly rounds?: number;
  /** The pixels of an encoded file, and its transfer syntax; absent where the file stays as it is. */
  encode?(native: Uint8Array): Promise<{ readonly fragment: Uint8Array; readonly transferSyntaxUid: string }>;
}

const ENCODINGS: readonly Encoding[] = [
  { name: "native", peer: "dcm2niix", rounds: MANY_ROUNDS },
  { name: "RLE", peer: "dcm2niix", rounds: MANY_ROUNDS, encode: byProgram("dcmcrle") },
  { name: "JPEG lossless", peer: "dcm2niix", encode: byProgram("dcmcjpeg") },
  { name: "JPEG 2000", peer: "dcm2niix", encode: byEncoder("jpeg2000", "1.2.840.10008.1.2.4.90") },
  { name: "JPEG-LS", peer: "dcmjs-codecs", encode: byProgram("dcmcjpls") },
  { name: "HTJ2K", peer: "dcmjs-codecs", encode: byEncoder("htj2k", "1.2.840.10008.1.2.4.201") },
];

/**
 * A CT of 300 slices to uncompressed NIfTI, in each encoding: `parse3d convert` beside dcm2niix, or dcmjs-codecs where that
 * does not read it, as whole processes.
 */
export async function run(report: Report): Promise<void> {
  await installPeers(report.note);
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  const native = [...syntheticCt(SLICES, SIDE, "decode").instances()];
  try {
    for (const encoding of ENCODINGS) {
      const series = join(folder, encoding.name.replace(" ", "-"));
      report.note(`${encoding.name}: writing ${SLICES} slices of ${SIDE}x${SIDE} ...`);
      await writeSeries(series, native, encoding);
      const output = join(folder, "output");
      const ours = () => timed(output, PARSE3D, ["convert", series, "-o", join(output, "ours.nii")]);
      const theirs =
        encoding.peer === "dcm2niix"
          ? () => timed(output, "dcm2niix", ["-z", "n", "-b", "n", "-o", output, series])
          : () => timed(output, process.execPath, [DCMJS_CODECS, series, join(output, "theirs.nii")]);
      const samples = await interleave(encoding.rounds ?? ROUNDS, { ours, theirs });
      report.figure(compare(encoding.name, "s", samples.ours, { name: encoding.peer, samples: samples.theirs }));
      await rm(series, { recursive: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeSeries(folder: string, native: readonly Uint8Array[], { encode }: Encoding): Promise<void> {
  await mkdir(folder);
  const pictures: Awaited<ReturnType<NonNullable<Encoding["encode"]>>>[] = [];
  for (const [k, file] of native.entries()) {
    if (encode && pictures.length < PICTURES) pictures.push(await encode(file));
    const picture = pictures[k % PICTURES];
    await writeFile(
      join(folder, `${String(k).padStart(4, "0")}.dcm`),
      picture ? encapsulatedFile(file, picture) : file,
    );
  }
}

/** The file with other pixel data: its elements up to them, as they stand, behind another File Meta Information. */
function encapsulatedFile(
  native: Uint8Array,
  { fragment, transferSyntaxUid }: { readonly fragment: Uint8Array; readonly transferSyntaxUid: string },
): Uint8Array {
  // File Meta Information begins at byte 132 with the length of the rest of it (PS3.10 section 7.1).
  const dataSet = 132 + 12 + new DataView(native.buffer, native.byteOffset).getUint32(140, true);
  const pixels = nativePixels(native).byteOffset - native.byteOffset - PIXEL_DATA_HEADER;
  return new Uint8Array(
    Buffer.concat([part10([], transferSyntaxUid), native.subarray(dataSet, pixels), encapsulated([fragment])]),
  );
}

const PIXEL_DATA_HEADER = 12;

function nativePixels(file: Uint8Array): Uint8Array {
  const { pixelData } = readPart10(file);
  if (pixelData === undefined || !("value" in pixelData)) throw new Error("the series is not uncompressed");
  return pixelData.value;
}

function byProgram(program: string): NonNullable<Encoding["encode"]> {
  return async (native) => {
    const { pixelData, transferSyntaxUid } = readPart10(byDcmtk(program, [], native));
    if (pixelData === undefined || "value" in pixelData) throw new Error(`${program} did not encode`);
    return { fragment: new Uint8Array(Buffer.concat(pixelData.fragments)), transferSyntaxUid };
  };
}

function byEncoder(name: "jpeg2000" | "htj2k", transferSyntaxUid: string): NonNullable<Encoding["encode"]> {
  const opened = openEncoder(name);
  return async (native) => {
    const encoded = (await opened)({
      width: SIDE,
      height: SIDE,
      bitsPerSample: 16,
      signed: true,
      samples: nativePixels(native),
    });
    const fragment = encoded.length % 2 === 0 ? encoded : Uint8Array.from([...encoded, 0]);
    return { fragment, transferSyntaxUid };
  };
}

const execute = promisify(execFile);

/** Seconds from start to end of a process that leaves one NIfTI file of the right size in `output`. */
async function timed(output: string, program: string, arguments_: readonly string[]): Promise<number> {
  await mkdir(output);
  const begun = performance.now();
  await execute(program, arguments_);
  const seconds = (performance.now() - begun) / 1000;
  const written = (await readdir(output)).filter((name) => name.endsWith(".nii"));
  const [only = ""] = written;
  const { size } = await stat(join(output, only));
  const header = new DataView(new Uint8Array(await readFile(join(output, only))).buffer);
  const dimensions = [42, 44, 46].map((at) => header.getInt16(at, true));
  if (written.length !== 1 || dimensions.join() !== `${SIDE},${SIDE},${SLICES}` || size < SIDE * SIDE * SLICES * 2) {
    throw new Error(`${program} wrote ${written.length} volumes, of ${dimensions.join("x")} voxels in ${size} bytes`);
  }
  await rm(output, { recursive: true });
  return seconds;
}
