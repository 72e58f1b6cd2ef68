import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNginx, startViewerNginx, type ViewerNginx } from "../fixtures/viewer-nginx.ts";

if (!hasNginx) console.warn("\n*** THE VIEWER'S NGINX IS NOT TESTED: apt-get install nginx-light ***\n");

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
}

const token = "0123456789abcdef";

describe.skipIf(!hasNginx)("the viewer's web server, as its container is set up", () => {
  const stack = new AsyncDisposableStack();
  const seen: Seen[] = [];
  const streams: ServerResponse[] = [];
  let viewer: ViewerNginx;

  /** Answers what it was asked, and keeps event streams open. */
  async function startUpstream(): Promise<string> {
    const server = createServer((incoming, response) => {
      let bytes = 0;
      incoming.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length;
      });
      incoming.on("end", () => {
        seen.push({ method: incoming.method ?? "", url: incoming.url ?? "", headers: incoming.headers, bytes });
        if (!incoming.url?.endsWith("/events")) return response.end("answered");
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write("data: first\n\n");
        streams.push(response);
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  beforeAll(async () => {
    const files = await mkdtemp(join(tmpdir(), "parse3d-viewer-"));
    stack.defer(() => rm(files, { recursive: true, force: true }));
    await writeFile(join(files, "index.html"), "<title>OHIF</title>");
    await writeFile(join(files, "app-config.js"), "window.config = {};");
    await writeFile(join(files, "app.bundle.0123456789abcdef.js"), "plain");
    await writeFile(join(files, "app.bundle.0123456789abcdef.js.gz"), gzipSync("zipped"));
    await mkdir(join(files, "plugins"));
    await writeFile(join(files, "worker.mjs"), "export {};");
    viewer = await startViewerNginx({
      files,
      archiveUrl: await startUpstream(),
      serverUrl: await startUpstream(),
      token,
    });
    stack.use(viewer);
  });
  afterAll(() => stack.disposeAsync());

  /** As a browser that claims to be somewhere; fetch would not let us. */
  function ask(path: string, headers: Readonly<Record<string, string>>, method = "GET", body = ""): Promise<number> {
    return new Promise((done, fail) => {
      const outgoing = request(`${viewer.url}${path}`, { method, headers }, (response) => {
        response.resume().once("end", () => done(response.statusCode ?? 0));
      });
      outgoing.once("error", fail).end(body);
    });
  }

  test("OHIF's own addresses are its page, its files are found, and hashed ones are kept and sent compressed", async () => {
    const page = await fetch(`${viewer.url}/parse3d?StudyInstanceUIDs=1.2.3`);
    expect([page.status, await page.text()]).toEqual([200, "<title>OHIF</title>"]);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("x-frame-options")).toBe("SAMEORIGIN");
    expect(await (await fetch(`${viewer.url}/app-config.js`)).text()).toBe("window.config = {};");
    const hashed = await fetch(`${viewer.url}/app.bundle.0123456789abcdef.js`);
    expect(hashed.headers.get("cache-control")).toContain("immutable");
    expect(await hashed.text()).toBe("zipped");
    expect((await fetch(`${viewer.url}/worker.mjs`)).headers.get("content-type")).toContain("text/javascript");
  });

  test("the archive is asked with its own user, and told under which address it is seen", async () => {
    seen.length = 0;
    const upload = new Uint8Array(3_000_000);
    await fetch(`${viewer.url}/dicom-web/studies/1.2.3/series?limit=1&includefield=all`, {
      headers: { Authorization: "Bearer of-the-browser" },
    });
    await fetch(`${viewer.url}/dicom-web/studies`, { method: "POST", body: upload });
    expect(seen.map(({ method, url, bytes }) => [method, url, bytes])).toEqual([
      ["GET", "/dicom-web/studies/1.2.3/series?limit=1&includefield=all", 0],
      ["POST", "/dicom-web/studies", upload.length],
    ]);
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from("parse3d:secret").toString("base64")}`);
    expect(seen[0]?.headers.forwarded).toBe(`host="${new URL(viewer.url).host}";proto=http`);
  });

  test("the server is asked with the token, and its events come as they happen", async () => {
    seen.length = 0;
    await fetch(`${viewer.url}/parse3d-api/v1/jobs?limit=5`, { headers: { Origin: viewer.url } });
    expect(seen[0]).toMatchObject({ method: "GET", url: "/v1/jobs?limit=5" });
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${token}`);
    expect(seen[0]?.headers.origin).toBeUndefined();
    const events = await fetch(`${viewer.url}/parse3d-api/v1/jobs/1/events`);
    const reader = events.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain("first");
    streams[0]?.write("data: second\n\n");
    expect(new TextDecoder().decode((await reader.read()).value)).toContain("second");
    streams[0]?.end();
  });

  test.each([
    ["another name for this machine", { Host: "evil.example" }, "GET", 403],
    ["another page that writes", { Origin: "http://evil.example" }, "POST", 403],
    ["a page without an origin of its own that writes", { Origin: "null" }, "DELETE", 403],
    ["its own page that writes", { Origin: "own" }, "POST", 200],
    ["a program without an origin that writes", {}, "POST", 200],
    ["another page that reads", { Origin: "http://evil.example" }, "GET", 200],
  ])("to %s it answers as it should", async (_who, headers: Readonly<Record<string, string>>, method, status) => {
    const origin = headers.Origin === "own" ? { Origin: viewer.url } : headers;
    expect(await ask("/parse3d-api/v1/jobs", origin, method)).toBe(status);
    expect(await ask("/dicom-web/studies", origin, method)).toBe(status);
  });
});
