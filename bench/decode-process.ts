/** dcmjs-codecs as a converter: a folder of files of one slice each, in the order of their names, to uncompressed NIfTI. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fromColumns } from "#converters/geometry/index.ts";
import { niftiHeader } from "#converters/nifti/index.ts";
import { importPeer } from "./peers.ts";

interface DcmjsCodecs {
  readonly NativeCodecs: { initializeAsync(): Promise<void> };
  readonly Transcoder: new (
    file: ArrayBuffer,
  ) => {
    transcode(transferSyntaxUid: string): void;
    getElements(): unknown;
  };
}

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const [folder = "", output = ""] = process.argv.slice(2);
const { default: codecs } = (await importPeer("dcmjs-codecs")) as { readonly default: DcmjsCodecs };
await codecs.NativeCodecs.initializeAsync();
const files = readdirSync(folder).toSorted();
const target = openSync(output, "w");
for (const [k, name] of files.entries()) {
  const transcoder = new codecs.Transcoder(new Uint8Array(readFileSync(join(folder, name))).buffer);
  transcoder.transcode(EXPLICIT_LITTLE_ENDIAN);
  const { Rows, Columns, PixelData, RescaleIntercept } = transcoder.getElements() as {
    readonly Rows: number;
    readonly Columns: number;
    readonly PixelData: ArrayBuffer | readonly ArrayBuffer[];
    readonly RescaleIntercept: number | string;
  };
  const [pixels] = [PixelData].flat();
  const values = new Int16Array(pixels as ArrayBuffer, 0, Rows * Columns);
  const intercept = Number(RescaleIntercept);
  for (let n = 0; n < values.length; n++) values[n]! += intercept;
  const ijkToLps = fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]);
  const header = niftiHeader({ size: [Columns, Rows, files.length], ijkToLps, frameOfReferenceUid: "" }, values);
  if (k === 0) writeSync(target, header, 0, header.length, 0);
  writeSync(
    target,
    new Uint8Array(values.buffer, 0, values.byteLength),
    0,
    values.byteLength,
    header.length + k * values.byteLength,
  );
}
closeSync(target);
