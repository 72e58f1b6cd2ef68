import { readFile, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { encodeModel } from "../onnx/model.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { brainT1Graph } from "./graph.ts";
import { readInitializers, readMetadata } from "./read-initializers.ts";

/** node models/brain-t1/build.ts WEIGHTS.onnx brain-t1.onnx: the graph around the weights that export_weights.py wrote. */
const { positionals } = parseArgs({ allowPositionals: true });
const [from, to] = positionals;
if (from === undefined || to === undefined) throw new Error("give the file of weights and the file to write");
const weights = await readFile(from);
const model = brainT1Graph(readInitializers(weights), readMetadata(weights));
await rm(to, { force: true });
const { sha256, bytes } = await writeChunks(to, encodeModel(model));
process.stdout.write(`${to}: ${bytes} bytes, sha256 ${sha256}\n`);
