import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ohifRelease } from "../viewer/ohif-release.ts";
import { startViewer, type Viewer } from "../viewer/start-viewer.ts";

let folder: string;
let behind: Server;
let viewer: Viewer;
const seen: IncomingMessage[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-viewer-"));
  const files = join(folder, `ohif-${ohifRelease().version}`);
  await mkdir(files);
  await writeFile(join(files, "index.html"), "<!doctype html>viewer");
  await writeFile(join(files, "app.bundle.0123456789abcdef.js"), "bundle");
  await writeFile(join(files, "app.bundle.0123456789abcdef.js.gz"), gzipSync("bundle"));
  await writeFile(join(folder, "secret.txt"), "secret");
  behind = createServer((request, response) => {
    seen.push(request);
    request.resume().once("end", () => response.writeHead(201, { "X-Behind": "yes" }).end(`${request.url}`));
  });
  await new Promise<void>((resolve) => behind.listen(0, "127.0.0.1", resolve));
  const behindUrl = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;
  viewer = await startViewer({
    port: 0,
    dicomwebUrl: `${behindUrl}/orthanc/dicom-web/`,
    dicomwebHeaders: { Authorization: "Basic archive" },
    serverUrl: behindUrl,
    cacheFolder: folder,
    signal: new AbortController().signal,
    say: () => {},
  });
});

afterAll(async () => {
  await viewer[Symbol.asyncDispose]();
  behind.close();
  await rm(folder, { recursive: true });
});

/** As it is written: fetch would tidy the path and refuse to set Host. */
async function raw(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<IncomingMessage> {
  const { port } = new URL(viewer.url);
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port, path, method, headers }, resolve).once("error", reject).end();
  });
}

describe("the viewer's files", () => {
  test("OHIF's own addresses get its page; files that are not there do not", async () => {
    expect(await (await fetch(viewer.studyUrl("1.2.3"))).text()).toBe("<!doctype html>viewer");
    expect(viewer.studyUrl("1.2.3")).toBe(`${viewer.url}/parse3d?StudyInstanceUIDs=1.2.3`);
    expect((await fetch(`${viewer.url}/missing.js`)).status).toBe(404);
  });

  test("go out compressed, are kept where their name tells their content, and asked again where not", async () => {
    const bundle = await fetch(`${viewer.url}/app.bundle.0123456789abcdef.js`);
    expect(bundle.headers.get("content-encoding")).toBe("gzip");
    expect(bundle.headers.get("cache-control")).toContain("immutable");
    expect(await bundle.text()).toBe("bundle");
    const page = await fetch(`${viewer.url}/`);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const again = await raw("/", { "If-None-Match": page.headers.get("etag") ?? "" });
    expect(again.statusCode).toBe(304);
  });

  test.each(["/../secret.txt", "/%2e%2e/secret.txt", "/plugins/../../secret.txt", "/%2e%2e%2fsecret.txt", "/%00"])(
    "%s leads nowhere outside",
    async (path) => {
      const answer = await raw(path);
      const body = (await answer.toArray()).join("");
      expect(body).not.toBe("secret");
    },
  );

  test("the configuration and both plugins are where the one names the others", async () => {
    const config = await (await fetch(`${viewer.url}/app-config.js`)).text();
    const plugins = [...config.matchAll(/"(\/plugins\/[^"]+)"/g)].map(([, path]) => path);
    expect(plugins).toHaveLength(2);
    for (const path of plugins) {
      const plugin = await fetch(`${viewer.url}${path}`);
      expect(plugin.headers.get("content-type")).toMatch(/^text\/javascript/);
      expect(await plugin.text()).toContain("export");
    }
  });
});

describe("what the viewer hands on", () => {
  test("the archive's and the server's requests arrive at theirs, with what each asks for", async () => {
    const body = "x".repeat(100_000);
    const stored = await fetch(`${viewer.url}/dicom-web/studies?limit=1`, { method: "POST", body });
    expect([stored.status, await stored.text()]).toEqual([201, "/orthanc/dicom-web/studies?limit=1"]);
    expect(stored.headers.get("x-behind")).toBe("yes");
    const toArchive = seen.at(-1)?.headers;
    expect(toArchive?.authorization).toBe("Basic archive");
    expect(toArchive?.forwarded).toBe(`host="${new URL(viewer.url).host}";proto=http`);
    const asked = await fetch(`${viewer.url}/parse3d-api/v1/jobs`, { headers: { Authorization: "Bearer mine" } });
    expect(await asked.text()).toBe("/v1/jobs");
    expect(seen.at(-1)?.headers.authorization).toBe("Bearer mine");
  });

  test("a server that is down is a 502 in words", async () => {
    await using lonely = await startViewer({
      port: 0,
      dicomwebUrl: "http://127.0.0.1:9",
      serverUrl: "http://127.0.0.1:9",
      cacheFolder: folder,
      signal: new AbortController().signal,
      say: () => {},
    });
    const answer = await fetch(`${lonely.url}/parse3d-api/healthz`);
    expect([answer.status, await answer.text()]).toEqual([502, "The Parse3D server does not answer.\n"]);
  });
});

test("a version of OHIF that nobody tested is refused before anything is fetched", () => {
  expect(() => ohifRelease("2.0.0")).toThrow(/not tested.*3\.13\.2/);
});

describe("who may ask", () => {
  test("a name that is pointed at this machine gets nothing", async () => {
    const before = seen.length;
    expect((await raw("/parse3d-api/v1/jobs", { Host: "evil.example" })).statusCode).toBe(403);
    expect(seen.length).toBe(before);
  });

  test("a page of another origin causes nothing; the viewer's own does", async () => {
    const before = seen.length;
    const foreign = await raw("/parse3d-api/v1/jobs", { Origin: "https://evil.example" }, "POST");
    expect([foreign.statusCode, seen.length]).toEqual([403, before]);
    expect((await raw("/parse3d-api/v1/jobs", { Origin: viewer.url }, "POST")).statusCode).toBe(201);
    expect(seen.at(-1)?.headers.origin).toBeUndefined();
  });
});
