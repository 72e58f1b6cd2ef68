import { codecOf } from "#converters/dicom/codecs.ts";
import { openEncoder } from "./test/fixtures/image-encoders.ts";
import { encodeLosslessJpeg } from "./test/fixtures/encode-lossless-jpeg.ts";
import { encodeRle } from "./test/fixtures/encode-rle.ts";
const picture = { width: 24, height: 20, bitsPerSample: 12, signed: false };
const values = Uint16Array.from({ length: 480 }, (_, n) => (n * 7919) % 4096);
const samples = new Uint8Array(values.buffer);
const only = process.argv[2]!; const all: any = { rle: ["1.2.840.10008.1.2.5", encodeRle(samples, 2)], jll: ["1.2.840.10008.1.2.4.70", encodeLosslessJpeg({ ...picture, samples: values, predictor: 1, restartLines: 4 })], jls: ["1.2.840.10008.1.2.4.80", (await openEncoder("jpegLs"))({ ...picture, samples })], j2k: ["1.2.840.10008.1.2.4.90", (await openEncoder("jpeg2000"))({ ...picture, samples })], ht: ["1.2.840.10008.1.2.4.201", (await openEncoder("htj2k"))({ ...picture, samples })] };
const shape = { rows: 20, columns: 24, bitsAllocated: 16 };
for (const [name, [uid, frame]] of Object.entries(all) as any) { if (name !== only) continue;
  let decode = await codecOf(uid)!(); let rng = 1; const res: Record<string, number> = {}; let worst = 0;
  for (let i = 0; i < 3000; i++) { rng = (Math.imul(rng, 1664525) + 1013904223) >>> 0; const at = (rng >>> 8) % frame.length; const byte = (rng ^ (rng >>> 13)) & 255; const cut = i % 3 === 0; const d = cut ? frame.slice(0, at) : frame.with(at, byte);
    const t = performance.now(); if (process.argv[3]) process.stdout.write(`${i} ${cut} ${at} ${byte} `); let r; try { decode(d, shape); r = "decoded"; } catch (e: any) { r = e.name + ":" + (e.cause?.name ?? "") + (e.cause?.message ?? "").slice(0,60); } const ms = performance.now() - t; if (ms > worst) { worst = ms; console.log(name, cut ? "cut" : "byte", at, byte, ms.toFixed(1), r); } res[r] = (res[r] ?? 0) + 1;
    if (r !== "decoded") decode = await codecOf(uid)!();
    try { const ok = Buffer.compare(decode(frame, shape).subarray(0, 960), samples) === 0; if (!ok) { console.log(name, "NEXT WRONG after", cut, at, byte); break; } } catch (e: any) { console.log(name, "NEXT FAILS after", cut, at, byte, r, e.cause); break; } }
  console.log(name, frame.length, res);
}
