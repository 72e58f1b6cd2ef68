import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { ModelAccessError, ModelBundleError, ModelDownloadError } from "./errors.ts";
import { HUB_URL, type HubFile } from "./hub-file.ts";

export interface HubDownloadOptions {
  /** Where the file goes, and stays in part until it is whole. */
  readonly folder: string;
  readonly hubUrl?: string | undefined;
  /** The user's access token; sent to the hub alone, never to where it points. */
  readonly token?: string | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A connection that is silent for so long is taken for lost; default 30 s. */
  readonly silenceMs?: number | undefined;
  /** Before a lost connection is taken up again; default 2 s. */
  readonly pauseMs?: number | undefined;
}

export interface HubDownload {
  readonly path: string;
  readonly bytes: number;
  /** What the hub says that the file is; absent where it does not say. */
  readonly sha256?: string;
}

/** Sizes and places in the file are those of the file itself. */
const PLAIN = { "Accept-Encoding": "identity" } as const;

/** Times that a connection may break without having brought a single byte. */
const FRUITLESS = 3;

/**
 * Downloads a file from the hub. What has arrived is kept: a connection that breaks, and a program that is stopped, go on from
 * there, unless the file has changed on the hub meanwhile.
 * @throws ModelAccessError with the steps to get access; ModelDownloadError (retryable); the signal's reason
 */
export async function downloadFromHub(file: HubFile, options: HubDownloadOptions): Promise<HubDownload> {
  const { folder, signal, pauseMs = 2000 } = options;
  await mkdir(folder, { recursive: true });
  const path = join(folder, file.path);
  const part = `${path}.part`;
  let fruitless = 0;
  for (;;) {
    const before = await sizeOf(part);
    try {
      const source = await locate(file, options);
      await forgetOther(part, source);
      await refuseFullDisk(folder, source.bytes - (await sizeOf(part)));
      await receive(file, source, part, options);
      await rename(part, path);
      await rm(`${part}.json`, { force: true });
      return { path, bytes: source.bytes, ...(source.sha256 !== undefined && { sha256: source.sha256 }) };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ModelDownloadError)) throw error;
      fruitless = (await sizeOf(part)) > before ? 0 : fruitless + 1;
      if (fruitless >= FRUITLESS) throw error;
      await pause(pauseMs, undefined, { ...(signal && { signal }) });
    }
  }
}

/** Where the hub has the file, and what it says of it. */
interface HubSource {
  readonly url: URL;
  /** Whether the hub itself serves it, which wants the token. */
  readonly isHub: boolean;
  readonly bytes: number;
  readonly etag: string;
  readonly sha256?: string;
}

/** Large files are on another server: the hub answers with their address, size and sha256. */
async function locate(
  file: HubFile,
  { hubUrl = HUB_URL, token, signal, silenceMs }: HubDownloadOptions,
): Promise<HubSource> {
  const url = new URL(`${hubUrl.replace(/\/+$/, "")}/${file.repository}/resolve/${file.revision}/${file.path}`);
  const answer = await ask(
    file,
    url,
    { method: "HEAD", headers: { ...PLAIN, ...authorization(token) } },
    silenceMs,
    signal,
  );
  if (answer.status === 401 || answer.status === 403) throw new ModelAccessError(file, hubUrl, token !== undefined);
  const location = answer.headers.get("location");
  const isElsewhere = answer.status >= 300 && answer.status < 400 && location !== null;
  if (!isElsewhere && !answer.ok) throw refused(file, answer.status);
  const bytes = Number(answer.headers.get("x-linked-size") ?? answer.headers.get("content-length"));
  const etag = (answer.headers.get("x-linked-etag") ?? answer.headers.get("etag") ?? "").replace(/^W\/|"/g, "");
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new ModelDownloadError(`${file.path}: the hub does not say how large it is; try later.`);
  const target = isElsewhere ? new URL(location, url) : url;
  return {
    url: target,
    isHub: target.origin === url.origin,
    bytes,
    etag,
    ...(/^[0-9a-f]{64}$/.test(etag) && { sha256: etag }),
  };
}

async function receive(file: HubFile, source: HubSource, part: string, options: HubDownloadOptions): Promise<void> {
  const { token, onProgress, signal, silenceMs = 30_000 } = options;
  let have = await sizeOf(part);
  onProgress?.(have, source.bytes);
  if (have === source.bytes) return;
  const silence = new AbortController();
  const watch = setTimeout(() => silence.abort(), silenceMs);
  try {
    const answer = await fetch(source.url, {
      headers: {
        ...PLAIN,
        ...(have > 0 && { Range: `bytes=${have}-` }),
        ...(source.isHub && authorization(token)),
      },
      signal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
    });
    if (!answer.ok || !answer.body) throw refused(file, answer.status);
    if (answer.status === 206 && !answer.headers.get("content-range")?.startsWith(`bytes ${have}-`))
      throw new ModelDownloadError(`${file.path}: another part came than the one asked for; try again.`);
    const append = answer.status === 206;
    if (!append) have = 0;
    // Written piece by piece: what has arrived is on the disk when the connection breaks, or the program ends.
    await using target = await open(part, append ? "a" : "w");
    for await (const chunk of answer.body) {
      watch.refresh();
      have += chunk.byteLength;
      if (have > source.bytes) throw new ModelDownloadError(`${file.path}: more came than the hub said; try again.`);
      await target.writeFile(chunk);
      onProgress?.(have, source.bytes);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof ModelDownloadError) throw cause;
    throw lost(file, await sizeOf(part), source.bytes, cause);
  } finally {
    clearTimeout(watch);
  }
  if (have !== source.bytes) throw lost(file, have, source.bytes);
}

const PartRecord = z.object({ etag: z.string(), bytes: z.number() });

/** A part of another version of the file is of no use. */
async function forgetOther(part: string, { etag, bytes }: HubSource): Promise<void> {
  const text = await readFile(`${part}.json`, "utf8").catch(() => "null");
  const record = PartRecord.safeParse(JSON.parse(text)).data;
  if (record?.etag === etag && record.bytes === bytes && (await sizeOf(part)) <= bytes) return;
  await rm(part, { force: true });
  await writeFile(`${part}.json`, JSON.stringify({ etag, bytes }));
}

async function refuseFullDisk(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(2)} GB`;
  throw new ModelBundleError(
    "download",
    `needs ${gigabytes(bytes)}, and the disk of the models' folder has ${gigabytes(bavail * bsize)} left: make room, or set PARSE3D_DATA_DIR to another disk.`,
  );
}

async function ask(
  file: HubFile,
  url: URL,
  request: RequestInit,
  silenceMs = 30_000,
  signal: AbortSignal | undefined,
): Promise<Response> {
  try {
    return await fetch(url, {
      ...request,
      redirect: "manual",
      signal: AbortSignal.any([AbortSignal.timeout(silenceMs), ...(signal ? [signal] : [])]),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ModelDownloadError(
      `${file.path}: ${url.origin} cannot be reached. Without internet access, download it elsewhere and run: parse3d models add FILE`,
      { cause },
    );
  }
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

function refused(file: HubFile, status: number): ModelDownloadError {
  const advice =
    status === 404 ? "it is not where it was: get it yourself, then: parse3d models add FILE" : "try later";
  return new ModelDownloadError(`${file.path}: the hub answered ${status}; ${advice}.`);
}

function lost(file: HubFile, have: number, total: number, cause?: unknown): ModelDownloadError {
  return new ModelDownloadError(
    `${file.path}: the connection broke after ${have} of ${total} bytes. They are kept: try again to go on from there.`,
    { cause },
  );
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
