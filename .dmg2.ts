import { codecOf } from "#converters/dicom/codecs.ts";
import { openEncoder } from "./test/fixtures/image-encoders.ts";
import { writeSync } from "node:fs";
const picture = { width: 24, height: 20, bitsPerSample: 12, signed: false };
const values = Uint16Array.from({ length: 480 }, (_, n) => (n * 7919) % 4096);
const samples = new Uint8Array(values.buffer);
const shape = { rows: 20, columns: 24, bitsAllocated: 16 };
const [uid, enc, pad] = process.argv.slice(2) as any;
const frame = (await openEncoder(enc))({ ...picture, samples });
writeSync(1, Buffer.from(frame).toString("hex").slice(0, 300) + " len " + frame.length + "\n");
const [I0,I1]=(process.argv[5]??"0,600").split(",").map(Number); for (let i = 0, rng = 1; i < I1!; i++) { rng = (Math.imul(rng, 1664525) + 1013904223) >>> 0; const at = (rng >>> 8) % frame.length; const byte = (rng ^ (rng >>> 13)) & 255; const cut = i % 3 === 0; let d = cut ? frame.slice(0, at) : frame.with(at, byte);
  if (pad) d = new Uint8Array([...d, ...Array.from({length: +pad}, (_, n) => n % 2 ? 0xd9 : 0xff)]);
  if (i < I0!) continue; const decode = await codecOf(uid)!();
  writeSync(1, `${i} ${cut ? "cut" : "byte"} ${at} ${byte} was ${frame[at]} `); const t = performance.now(); let r; try { decode(d, shape); r = "decoded"; } catch (e: any) { r = e.message.slice(0, 50) + ":" + (e.cause?.name ?? "") + (e.cause?.message ?? "").slice(0,60); } const ms = performance.now() - t; writeSync(1, `${ms.toFixed(1)} ${r}\n`); if (ms < 100) writeSync(1, ""); }
