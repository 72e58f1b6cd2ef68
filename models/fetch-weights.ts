import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ModelBundleError, ModelDownloadError } from "./errors.ts";
import type { KnownModel } from "./known-models.ts";

type KnownFile = KnownModel["files"][number];

export interface FetchOptions {
  /** Base URL that the model's upstream folder is appended to. */
  readonly upstreamUrl: string;
  /** @param fraction of the model's bytes, 0 to 1 */
  readonly onProgress?: ((fraction: number, file: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A server that sends nothing for so long is taken for gone. */
const SILENCE_MS = 30_000;

/**
 * Copies a model's files out of a local folder (or its subfolder named as upstream names it), each checked by sha256.
 *
 * @throws ModelBundleError where one is missing or is not the pinned one
 */
export async function copyWeights(model: KnownModel, from: string, toFolder: string): Promise<void> {
  const nested = join(from, model.upstreamFolder);
  const isNested = await stat(join(nested, "model.json")).then(
    () => true,
    () => false,
  );
  const folder = isNested ? nested : from;
  for (const file of model.files) {
    const size = await stat(join(folder, file.name)).then(
      (entry) => entry.size,
      (cause: unknown) => {
        const remedy = `is not in that folder; name the one that holds ${model.files.map(({ name }) => name).join(", ")}.`;
        throw new ModelBundleError(file.name, remedy, { cause });
      },
    );
    if (size !== file.bytes) throw differs(file);
    await writeChecked(file, await readFile(join(folder, file.name)), toFolder);
  }
}

/**
 * Downloads a model's files, each checked by sha256 before it is written.
 *
 * @throws ModelDownloadError where upstream cannot be reached or answers with something else; ModelBundleError where a file
 * is not the pinned one; the signal's reason
 */
export async function downloadWeights(model: KnownModel, toFolder: string, options: FetchOptions): Promise<void> {
  const total = model.files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const file of model.files) {
    const url = new URL(`${model.upstreamFolder}/${file.name}`, options.upstreamUrl);
    const report = (received: number) => options.onProgress?.((before + received) / total, file.name);
    const bytes = await download(model, file, url, report, options.signal);
    await writeChecked(file, bytes, toFolder);
    before += file.bytes;
  }
}

async function download(
  model: KnownModel,
  file: KnownFile,
  url: URL,
  report: (received: number) => void,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const advice =
    `download model "${model.name}" on a machine with internet access (${url.origin}) ` +
    `and run: parse3d models pull ${model.name} --from FOLDER`;
  const silence = new AbortController();
  const watch = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.any([silence.signal, ...(signal === undefined ? [] : [signal])]),
    });
    if (!answer.ok || answer.body === null)
      throw new ModelDownloadError(`${file.name}: upstream answered ${answer.status}; try later, or ${advice}`);
    const bytes = new Uint8Array(file.bytes);
    let received = 0;
    for await (const chunk of answer.body) {
      watch.refresh();
      if (received + chunk.byteLength > file.bytes) throw differs(file);
      bytes.set(chunk, received);
      received += chunk.byteLength;
      report(received);
    }
    if (received !== file.bytes)
      throw new ModelDownloadError(
        `${file.name}: the download ended after ${received} of ${file.bytes} bytes; try again.`,
      );
    return bytes;
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof ModelDownloadError || cause instanceof ModelBundleError) throw cause;
    throw new ModelDownloadError(`${file.name}: cannot be downloaded; without internet access, ${advice}`, { cause });
  } finally {
    clearTimeout(watch);
  }
}

async function writeChecked(file: KnownFile, bytes: Uint8Array, folder: string): Promise<void> {
  if (bytes.byteLength !== file.bytes || createHash("sha256").update(bytes).digest("hex") !== file.sha256)
    throw differs(file);
  await writeFile(join(folder, file.name), bytes, { flag: "wx" });
}

function differs(file: KnownFile): ModelBundleError {
  return new ModelBundleError(
    file.name,
    "is not the file that this version of Parse3D was made for (its sha256 differs); fetch upstream's original.",
  );
}
