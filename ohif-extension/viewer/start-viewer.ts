import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { ensurePlugins } from "../build/ensure-plugins.ts";
import { appConfig, paths } from "./app-config.ts";
import { ViewerUnavailableError } from "./errors.ts";
import { fetchOhif } from "./fetch-ohif.ts";
import { ohifRelease } from "./ohif-release.ts";
import { refusal } from "./own-requests.ts";
import { type ProxyTarget, proxy } from "./proxy.ts";
import { findFile, sendFile } from "./static-files.ts";

export interface ViewerOptions {
  /** 0: any free one. The viewer listens on 127.0.0.1. */
  readonly port: number;
  readonly dicomwebUrl: string;
  /** Of the Parse3D server, like "http://127.0.0.1:8117". */
  readonly serverUrl: string;
  /** Sent to the archive over what the browser sends, like its credentials: who can open the viewer can then use them. */
  readonly dicomwebHeaders?: Readonly<Record<string, string>>;
  /** The same for the Parse3D server, like a token: who can open the viewer can then use it. */
  readonly serverHeaders?: Readonly<Record<string, string>>;
  /** Of OHIF; left out: the one that Parse3D is released with. */
  readonly version?: string | undefined;
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** A running OHIF with Parse3D's panel; disposing it ends its connections. */
export interface Viewer extends AsyncDisposable {
  /** Like "http://127.0.0.1:8118". */
  readonly url: string;
  /** The page that shows a study with the panel ready. */
  studyUrl(studyInstanceUid: string): string;
}

/**
 * Fetches OHIF where it is not there yet, builds the plugins where they are older than their sources, and serves them with
 * the archive and the Parse3D server on one origin.
 * @throws ViewerUnavailableError, the signal's reason
 */
export async function startViewer(options: ViewerOptions): Promise<Viewer> {
  const folders = {
    ohif: await fetchOhif(ohifRelease(options.version), options),
    plugins: await ensurePlugins(options),
  };
  const targets: readonly ProxyTarget[] = [
    {
      prefix: paths.dicomweb,
      url: options.dicomwebUrl,
      name: "The archive",
      ...(options.dicomwebHeaders && { headers: options.dicomwebHeaders }),
    },
    {
      prefix: paths.api,
      url: options.serverUrl,
      name: "The Parse3D server",
      ...(options.serverHeaders && { headers: options.serverHeaders }),
    },
  ];
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    answer(request, response, folders, targets).catch(() => response.destroy());
  });
  const url = `http://127.0.0.1:${await listen(server, options.port)}`;
  return {
    url,
    studyUrl: (studyInstanceUid) => `${url}/parse3d?StudyInstanceUIDs=${studyInstanceUid}`,
    [Symbol.asyncDispose]: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  folders: { readonly ohif: string; readonly plugins: string },
  targets: readonly ProxyTarget[],
): Promise<void> {
  const refused = refusal(request);
  if (refused) return sayNo(response, 403, refused);
  const { pathname } = new URL(request.url ?? "/", "http://viewer");
  const target = targets.find(({ prefix }) => pathname.startsWith(`${prefix}/`));
  if (target) return proxy(request, response, target);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("X-Frame-Options", "SAMEORIGIN");
  if (request.method !== "GET" && request.method !== "HEAD") return sayNo(response, 405, "GET and HEAD only.");
  if (pathname === paths.config) {
    response.writeHead(200, { "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache" });
    response.end(appConfig);
    return;
  }
  const isPlugin = pathname.startsWith(`${paths.plugins}/`);
  const file = isPlugin
    ? await findFile(folders.plugins, pathname.slice(paths.plugins.length))
    : await findFile(folders.ohif, pathname);
  if (file) return sendFile(request, response, file);
  // OHIF's own addresses, like /parse3d?StudyInstanceUIDs=…, are made in the browser.
  const page = extname(pathname) === "" ? await findFile(folders.ohif, "index.html") : undefined;
  if (page) return sendFile(request, response, page);
  return sayNo(response, 404, `There is no ${join("/", pathname)} here.`);
}

function sayNo(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${words}\n`);
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", resolve);
  try {
    await promise;
  } catch (cause) {
    throw new ViewerUnavailableError(`The viewer cannot listen on port ${port} of 127.0.0.1; choose another.`, {
      cause,
    });
  }
  return (server.address() as AddressInfo).port;
}
