import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";

const mediaTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".jsonc": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** Files whose names change with their content: OHIF's bundler puts 16 hexadecimal digits into them. */
const hashedName = /(^|[./])[0-9a-f]{16}\.[a-z0-9]+$/;

export interface StaticFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** The file that a URL's path names in a folder; undefined where there is none, or it lies outside. */
export async function findFile(folder: string, urlPath: string): Promise<StaticFile | undefined> {
  let relative: string;
  try {
    relative = normalize(decodeURIComponent(urlPath));
  } catch {
    return undefined;
  }
  if (relative.includes("\0") || relative.split("/").includes("..")) return undefined;
  return fileAt(join(folder, relative));
}

async function fileAt(path: string): Promise<StaticFile | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? { path, size: found.size, modifiedMs: Math.trunc(found.mtimeMs) } : undefined;
}

/** Sends a file, its gzipped copy where there is one and the client takes it; 304 where the client has it. */
export async function sendFile(request: IncomingMessage, response: ServerResponse, file: StaticFile): Promise<void> {
  const tag = `"${file.size.toString(36)}-${file.modifiedMs.toString(36)}"`;
  const gzipped = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))
    ? await fileAt(`${file.path}.gz`)
    : undefined;
  response.setHeader("Content-Type", mediaTypes[extname(file.path)] ?? "application/octet-stream");
  response.setHeader("Cache-Control", hashedName.test(file.path) ? "public, max-age=31536000, immutable" : "no-cache");
  response.setHeader("Vary", "Accept-Encoding");
  response.setHeader("ETag", tag);
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  if (gzipped) response.setHeader("Content-Encoding", "gzip");
  const sent = gzipped ?? file;
  response.setHeader("Content-Length", sent.size);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await pipeline(createReadStream(sent.path), response);
}
