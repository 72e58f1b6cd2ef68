import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DomainError } from "#converters/errors.ts";
import { type DicomwebOptions, openDicomweb } from "#server/dicomweb/index.ts";
import { collect } from "../fixtures/collect.ts";
import {
  BOUNDARY,
  type Faults,
  type Handler,
  MULTIPART,
  onePart,
  sendInstance,
  sendJson,
  sendMultipart,
  sendSeries,
  startFaultyPacs,
} from "../fixtures/faulty-pacs.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const ct = syntheticCt(9, 48);
const files = [...ct.instances()];
const { signal } = new AbortController();

const hang: Handler = () => {};
const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(code, headers).end("<html>John Doe</html>");
  };
const html = status(200, { "Content-Type": "text/html; charset=utf-8" });

function open(url: string, options: Partial<DicomwebOptions> = {}) {
  return openDicomweb({
    url,
    timeouts: { connectMs: 600, firstByteMs: 600, idleMs: 600 },
    retry: { attempts: 3, firstDelayMs: 5, maxDelayMs: 2_000 },
    ...options,
  });
}

async function faultOf(asking: Promise<unknown>): Promise<DomainError> {
  const error = await asking.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DomainError)) throw error;
  return error;
}

/** Fetches the series, and tells the requests that it took. */
async function fetchFrom(faults: Faults, options: Partial<DicomwebOptions> = {}) {
  await using pacs = await startFaultyPacs(files, faults);
  using dicomweb = open(pacs.url, options);
  const came = await collect(dicomweb.source.instances(ct.series, { signal }));
  return { came, count: (kind: string) => pacs.requests.filter((request) => request === kind).length };
}

function expectWhole(came: readonly Uint8Array[]): void {
  const sorted = (list: readonly Uint8Array[]) => list.map((bytes) => Buffer.from(bytes)).sort(Buffer.compare);
  expect(came).toHaveLength(files.length);
  expect(sorted(came).every((bytes, n) => bytes.equals(sorted(files)[n] ?? Buffer.alloc(0)))).toBe(true);
}

describe("an archive that does not answer as it should", () => {
  test.each<[string, Handler, { code: string; retryable: boolean; says: string; requests: number }]>([
    ["hangs", hang, { code: "pacs-timeout", retryable: true, says: "no answer for 0.6 s", requests: 1 }],
    [
      "says 401",
      status(401),
      { code: "pacs-unavailable", retryable: false, says: "PARSE3D_DICOMWEB_TOKEN", requests: 1 },
    ],
    [
      "says 403",
      status(403),
      { code: "pacs-unavailable", retryable: false, says: "PARSE3D_DICOMWEB_TOKEN", requests: 1 },
    ],
    ["says 400", status(400), { code: "pacs-unavailable", retryable: false, says: "HTTP 400", requests: 1 }],
    ["says 500", status(500), { code: "pacs-unavailable", retryable: true, says: "HTTP 500", requests: 1 }],
    ["says 502", status(502), { code: "pacs-unavailable", retryable: true, says: "HTTP 502", requests: 3 }],
    ["says 503", status(503), { code: "pacs-unavailable", retryable: true, says: "HTTP 503", requests: 3 }],
    ["says 504", status(504), { code: "pacs-unavailable", retryable: true, says: "HTTP 504", requests: 3 }],
    ["says 429", status(429), { code: "pacs-unavailable", retryable: true, says: "HTTP 429", requests: 3 }],
    [
      "wants an hour's pause",
      status(503, { "Retry-After": "3600" }),
      { code: "pacs-unavailable", retryable: true, says: "HTTP 503", requests: 1 },
    ],
    [
      "redirects",
      status(302, { Location: "http://127.0.0.1:9/" }),
      { code: "pacs-unavailable", retryable: false, says: "redirects", requests: 1 },
    ],
    ["shows a login page", html, { code: "pacs-unavailable", retryable: false, says: "text/html", requests: 1 }],
    [
      "sends something else as JSON",
      (_, response) => sendJson(response, { message: "John Doe" }),
      { code: "pacs-unavailable", retryable: false, says: "not DICOMweb", requests: 1 },
    ],
    [
      "hangs up without an answer",
      (request) => request.socket.destroy(),
      { code: "pacs-unavailable", retryable: true, says: "connection to the archive broke", requests: 3 },
    ],
  ])("one that %s", async (_, handler, { code, retryable, says, requests }) => {
    await using pacs = await startFaultyPacs(files, { searchSeries: handler, series: handler });
    using dicomweb = open(pacs.url);
    const fault = await faultOf(dicomweb.source.describe(ct.series, { signal }));
    expect(fault).toMatchObject({ code, retryable });
    expect(fault.message).toContain(says);
    expect(pacs.requests).toHaveLength(requests);
    const whileFetching = await faultOf(collect(dicomweb.source.instances(ct.series, { signal })));
    expect(whileFetching).toMatchObject({ code, retryable });
    for (const { message } of [fault, whileFetching]) expect(message).not.toMatch(/John|127\.0|\d+\.\d+\.\d+/);
  });

  test("one that stops in the middle of its answer", async () => {
    const searchSeries: Handler = (_, response) => response.writeHead(200, { "Content-Length": 100 }).write("[{");
    await using pacs = await startFaultyPacs(files, { searchSeries });
    using dicomweb = open(pacs.url);
    const fault = await faultOf(dicomweb.source.describe(ct.series, { signal }));
    expect(fault).toMatchObject({ code: "pacs-timeout", retryable: true });
    expect(fault.message).toContain("in the middle of its answer for 0.6 s");
  });

  test("one that says 404 to everything is not a DICOMweb root", async () => {
    const notThere = status(404);
    await using pacs = await startFaultyPacs([], { searchSeries: notThere, series: notThere });
    using dicomweb = open(pacs.url);
    const fault = await faultOf(dicomweb.source.describe(ct.series, { signal }));
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: false });
    expect(fault.message).toContain("PARSE3D_DICOMWEB_URL");
  });

  test("one that says 404 to a search in a study that it does not know does not know the series", async () => {
    const searchSeries: Handler = (request, response) => {
      if (request.url?.includes("/studies/")) response.writeHead(404).end();
      else sendJson(response, []);
    };
    await using pacs = await startFaultyPacs([], { searchSeries });
    using dicomweb = open(pacs.url);
    expect(await faultOf(dicomweb.source.describe(ct.series, { signal }))).toMatchObject({ code: "series-not-found" });
  });

  test("one that is down", async () => {
    const { url } = await closedPort();
    const fault = await faultOf(open(url).source.describe(ct.series, { signal }));
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: true });
    expect(fault.message).toContain("cannot be reached");
  });

  test("one that takes the connection and never speaks TLS", async () => {
    await using silent = await rawServer(() => {});
    const fault = await faultOf(open(`https://127.0.0.1:${silent.port}`).source.describe(ct.series, { signal }));
    expect(fault).toMatchObject({ code: "pacs-timeout", retryable: true });
    expect(fault.message).toContain("accepts no connection within 0.6 s");
  });

  test("one that is no HTTP server", async () => {
    await using ssh = await rawServer((server) =>
      server.on("connection", (socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.2\r\n")),
    );
    const fault = await faultOf(open(`http://127.0.0.1:${ssh.port}`).source.describe(ct.series, { signal }));
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: false });
  });

  test("Retry-After is waited for, and then it works", async () => {
    let asked = 0;
    const series: Handler = (request, response, pacs) => {
      if (++asked === 1) response.writeHead(503, { "Retry-After": "1" }).end();
      else sendSeries(request, response, pacs);
    };
    const begun = performance.now();
    const { came } = await fetchFrom({ series });
    expectWhole(came);
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  test("a key that the archive ignores does not let another series through", async () => {
    const other = syntheticCt(1, 16, "other");
    const searchSeries: Handler = (_, response) =>
      sendJson(response, [
        {
          "00080060": { vr: "CS", Value: ["CT"] },
          "0020000E": { vr: "UI", Value: [other.series.seriesInstanceUid] },
          "00201209": { vr: "IS", Value: [1] },
        },
      ]);
    await using pacs = await startFaultyPacs(files, { searchSeries });
    using dicomweb = open(pacs.url);
    expect(await faultOf(dicomweb.source.describe(ct.series, { signal }))).toMatchObject({ code: "series-not-found" });
  });

  test("an archive that counts in text, or does not count, is counted", async () => {
    for (const Value of [["9"], undefined]) {
      const searchSeries: Handler = (_, response) =>
        sendJson(response, [
          {
            "00080060": { vr: "CS", Value: ["CT"] },
            "0020000E": { vr: "UI", Value: [ct.series.seriesInstanceUid] },
            ...(Value && { "00201209": { vr: "IS", Value } }),
          },
        ]);
      await using pacs = await startFaultyPacs(files, { searchSeries });
      using dicomweb = open(pacs.url);
      expect(await dicomweb.source.describe(ct.series, { signal })).toEqual({ modality: "CT", instanceCount: 9 });
    }
  });
});

describe("a series that does not come in one piece comes whole all the same", () => {
  const firstThree = files.slice(0, 3);
  const begin: Handler = (_, response) => {
    response.writeHead(200, MULTIPART);
    for (const file of firstThree) response.write(onePart(file));
  };

  test.each([400, 404, 406, 500, 501])("where the archive answers %i to the whole series", async (code) => {
    const { came, count } = await fetchFrom({ series: status(code) });
    expectWhole(came);
    expect([count("GET series"), count("GET instance")]).toEqual([1, files.length]);
  });

  test.each<[string, number, Handler]>([
    [
      "where the connection breaks in the fourth",
      6,
      (...args) => {
        begin(...args);
        const [request, response] = args;
        response.write(onePart(files[3] ?? Buffer.alloc(0)).subarray(0, 2000), () => request.socket.destroy());
      },
    ],
    [
      "where the answer ends after the third, before the boundary that must follow it",
      7,
      (...args) => {
        begin(...args);
        args[1].end();
      },
    ],
    [
      "where the answer stalls after three",
      6,
      (...args) => {
        begin(...args);
        args[1].write(`--${BOUNDARY}\r\n`);
      },
    ],
    ["where only three are in a well-formed answer", 6, (_, response) => sendMultipart(response, firstThree)],
    [
      "where the fourth is longer than it says",
      6,
      (...args) => {
        begin(...args);
        args[1].end(`--${BOUNDARY}\r\nContent-Length: 5\r\n\r\nlonger\r\n--${BOUNDARY}--`);
      },
    ],
    [
      "where Content-Length is too small",
      6,
      (_, response) => {
        const whole = Buffer.concat([...firstThree, ...files.slice(3, 4)].map(onePart));
        response.writeHead(200, { ...MULTIPART, "Content-Length": whole.length - 500, Connection: "close" });
        response.end(whole.subarray(0, whole.length - 500));
      },
    ],
    [
      "where Content-Length is too large",
      7,
      (_, response) => {
        const whole = Buffer.concat(firstThree.map(onePart));
        response.writeHead(200, { ...MULTIPART, "Content-Length": whole.length + 500 }).write(whole);
      },
    ],
    [
      "where the same three come twice",
      6,
      (_, response) => sendMultipart(response, [...firstThree, ...firstThree, ...firstThree]),
    ],
    [
      "where the fourth is garbage",
      6,
      (_, response) => sendMultipart(response, [...firstThree, Buffer.from("garbage".repeat(90))]),
    ],
  ])("%s: only the missing %i are fetched again", async (_, missing, series) => {
    const { came, count } = await fetchFrom({ series });
    expectWhole(came);
    expect([count("GET series"), count("GET instance")]).toEqual([1, missing]);
  });

  test("where the answer is empty", async () => {
    for (const series of [(_, response) => sendMultipart(response, []), status(204)] satisfies Handler[]) {
      const { came } = await fetchFrom({ series });
      expectWhole(came);
    }
  });

  test("where the archive compresses though it was asked not to", async () => {
    const series: Handler = (request, response) => {
      expect(request.headers["accept-encoding"]).toBe("identity");
      expect(request.headers.accept).toBe('multipart/related; type="application/dicom"; transfer-syntax=*');
      const whole = Buffer.concat([...files.map(onePart), Buffer.from(`--${BOUNDARY}--`)]);
      response.writeHead(200, { ...MULTIPART, "Content-Encoding": "gzip" }).end(gzipSync(whole));
    };
    const { came, count } = await fetchFrom({ series });
    expectWhole(came);
    expect(count("GET instance")).toBe(0);
  });

  test("where single instances come without multipart around them", async () => {
    const instance: Handler = (request, response, { held }) => {
      const uid = /instances\/([\d.]+)/.exec(request.url ?? "")?.[1] ?? "";
      response.writeHead(200, { "Content-Type": "application/dicom" }).end(held.get(uid));
    };
    const { came } = await fetchFrom({ series: status(406), instance });
    expectWhole(came);
  });

  test("where single instances fail at first", async () => {
    const failed = new Set<string>();
    const instance: Handler = (request, response, pacs) => {
      const url = request.url ?? "";
      if (failed.has(url)) return sendInstance(request, response, pacs);
      failed.add(url);
      if (failed.size % 2 === 0) response.writeHead(503).end();
      else response.writeHead(200, MULTIPART).end(`--${BOUNDARY}\r\nContent-Length: 900\r\n\r\ncut`);
    };
    const { came, count } = await fetchFrom({ series: status(501), instance });
    expectWhole(came);
    expect(count("GET instance")).toBe(2 * files.length);
  });

  test("where the list of instances comes in pages", async () => {
    const searchInstances: Handler = (request, response) => {
      const offset = Number(new URL(request.url ?? "", "http://localhost").searchParams.get("offset") ?? 0);
      const page = ct.sopInstanceUids.slice(offset, offset + 4);
      sendJson(
        response,
        page.map((uid) => ({ "00080018": { vr: "UI", Value: [uid] } })),
      );
    };
    const { came, count } = await fetchFrom({ series: status(400), searchInstances });
    expectWhole(came);
    expect(count("GET instances?")).toBe(3);
  });

  test("a reader slower than the time limits is no stalled archive", async () => {
    await using pacs = await startFaultyPacs(files);
    using dicomweb = open(pacs.url, { timeouts: { connectMs: 300, firstByteMs: 300, idleMs: 300 } });
    let came = 0;
    for await (const _ of dicomweb.source.instances(ct.series, { signal })) {
      if (++came <= 2) await sleep(700);
    }
    expect(came).toBe(files.length);
    expect(pacs.requests.filter((request) => request === "GET series")).toHaveLength(1);
    expect(pacs.requests).not.toContain("GET instance");
  });
});

describe("a series that cannot come whole is never cut short silently", () => {
  test("an instance that is listed and not given", async () => {
    const instance: Handler = (request, response, pacs) => {
      if (request.url?.includes(ct.sopInstanceUids[4] ?? "")) response.writeHead(404).end();
      else sendInstance(request, response, pacs);
    };
    const fault = await faultOf(fetchFrom({ series: status(406), instance }));
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: true });
    expect(fault.message).toContain("holds 9 instances of the series and gave 8");
  });

  test("an instance that is not even listed", async () => {
    const fault = await faultOf(
      fetchFrom({
        series: (_, response) => sendMultipart(response, files.slice(1)),
        searchInstances: (_, response) =>
          sendJson(
            response,
            ct.sopInstanceUids.slice(1).map((uid) => ({ "00080018": { vr: "UI", Value: [uid] } })),
          ),
      }),
    );
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: true });
  });

  test("an instance that is garbage, however it is asked for", async () => {
    const garbage = Buffer.from("garbage".repeat(90));
    const instance: Handler = (_, response) => sendMultipart(response, [garbage]);
    const series: Handler = (_, response) => sendMultipart(response, [...files.slice(1), garbage]);
    const fault = await faultOf(fetchFrom({ series, instance }));
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: false });
    expect(fault.message).toContain("1 of the series' 9 instances");
  });

  test("instances that stall one by one as well", async () => {
    const stall: Handler = (_, response) => response.writeHead(200, MULTIPART).write(`--${BOUNDARY}\r\n`);
    expect(await faultOf(fetchFrom({ series: stall, instance: stall }))).toMatchObject({ code: "pacs-timeout" });
  });

  test("instances that break off every time are asked for a bounded number of times", async () => {
    await using pacs = await startFaultyPacs(files.slice(0, 1), {
      series: status(406),
      instance: (request, response) => response.writeHead(200, MULTIPART).write("-", () => request.socket.destroy()),
    });
    using dicomweb = open(pacs.url);
    const fault = await faultOf(collect(dicomweb.source.instances(ct.series, { signal })));
    expect(fault).toMatchObject({ code: "pacs-unavailable", retryable: true });
    expect(pacs.requests.filter((request) => request === "GET instance")).toHaveLength(3);
  });

  test("a UID in the archive's list that would change the path is never asked for", async () => {
    await using pacs = await startFaultyPacs(files, {
      series: status(406),
      searchInstances: (_, response) => sendJson(response, [{ "00080018": { vr: "UI", Value: ["../../../system"] } }]),
    });
    using dicomweb = open(pacs.url);
    await faultOf(collect(dicomweb.source.instances(ct.series, { signal })));
    expect(pacs.requests).not.toContain("GET instance");
  });

  const bomb = gzipSync(Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n\r\n`), Buffer.alloc(64 << 20)]));

  test.each<[string, Handler]>([
    [
      "says so",
      (_, response) => response.writeHead(200, MULTIPART).write(`--${BOUNDARY}\r\nContent-Length: 99999999\r\n\r\n`),
    ],
    [
      "is a decompression bomb",
      (_, response) => {
        response.writeHead(200, { ...MULTIPART, "Content-Encoding": "gzip" }).end(bomb);
      },
    ],
    [
      "is no multipart",
      (_, response) => response.writeHead(200, { "Content-Type": "application/dicom" }).end(Buffer.alloc(2 << 20)),
    ],
  ])("an instance larger than the limit that %s is refused", async (_, series) => {
    const fault = await faultOf(fetchFrom({ series }, { maxInstanceBytes: 1 << 20 }));
    expect(fault).toMatchObject({ code: "unsupported-series", retryable: false });
    expect(fault.message).toContain("1 MiB");
  });
});

describe("sockets", () => {
  const neverEnding: Handler = (_, response) => {
    response.writeHead(200, MULTIPART).write(onePart(files[0] ?? Buffer.alloc(0)));
    response.write(`--${BOUNDARY}\r\n`);
  };

  test.each<[string, Faults]>([
    ["before the answer", { series: hang }],
    ["in the middle of the answer", { series: neverEnding }],
    ["while instances are fetched one by one", { series: status(501), instance: hang }],
    ["while waiting to try again", { series: status(503, { "Retry-After": "2" }) }],
  ])("an abort %s ends it, and its connections, at once", async (_, faults) => {
    await using pacs = await startFaultyPacs(files, faults);
    using dicomweb = open(pacs.url, { timeouts: {} });
    const stop = new AbortController();
    const fetching = collect(dicomweb.source.instances(ct.series, { signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("stopped by the test")), 150);
    const begun = performance.now();
    await expect(fetching).rejects.toThrow("stopped by the test");
    expect(performance.now() - begun).toBeLessThan(1_000);
    dicomweb[Symbol.dispose]();
    await sleep(50);
    expect(pacs.openSockets()).toBe(0);
  });

  test("a reader that pauses makes the archive pause: memory does not grow with the series", async () => {
    const [large = Buffer.alloc(0)] = syntheticCt(1, 1000, "large").instances();
    const [part, parts] = [onePart(large), 60];
    let written = 0;
    const series: Handler = async (_, response) => {
      response.writeHead(200, MULTIPART);
      for (; written < parts; written++) if (!response.write(part)) await once(response, "drain");
      response.end();
    };
    await using pacs = await startFaultyPacs(files, { series });
    using dicomweb = open(pacs.url);
    for await (const _ of dicomweb.source.instances(ct.series, { signal })) {
      await sleep(400);
      // What the kernel holds for both ends, and the reader's own buffers.
      expect((written * part.length) / 2 ** 20).toBeLessThan(24);
      break;
    }
  });

  test("leaving the iteration closes the connection", async () => {
    await using pacs = await startFaultyPacs(files, { series: neverEnding });
    using dicomweb = open(pacs.url, { timeouts: {} });
    for await (const _ of dicomweb.source.instances(ct.series, { signal })) break;
    await sleep(50);
    expect(pacs.openSockets()).toBe(0);
  });

  test("one by one means at most four at a time, over connections that are kept", async () => {
    let atOnce = 0;
    let most = 0;
    await using pacs = await startFaultyPacs(files, {
      series: status(501),
      instance: async (request, response, state) => {
        most = Math.max(most, ++atOnce);
        await sleep(20);
        atOnce--;
        sendInstance(request, response, state);
      },
    });
    using dicomweb = open(pacs.url);
    expectWhole(await collect(dicomweb.source.instances(ct.series, { signal })));
    expect(most).toBe(4);
    expect(pacs.connections()).toBeLessThan(files.length);
  });
});

describe("credentials", () => {
  test("of the URL and of the headers are sent, and never told", async () => {
    const seen: (string | undefined)[] = [];
    await using pacs = await startFaultyPacs(files, {
      searchSeries: (request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(401).end();
      },
    });
    const url = `http://me:s%3Acret@127.0.0.1:${pacs.port}/dicom-web/`;
    const faults = [
      await faultOf(open(url).source.describe(ct.series, { signal })),
      await faultOf(open(url, { headers: { Authorization: "Bearer t0ken" } }).source.describe(ct.series, { signal })),
    ];
    expect(seen).toEqual([`Basic ${Buffer.from("me:s:cret").toString("base64")}`, "Bearer t0ken"]);
    for (const fault of faults) expect(`${fault.message} ${JSON.stringify(fault.details)}`).not.toMatch(/cret|t0ken/);
  });

  test("a token that would add a header of its own is refused before anything is sent", () => {
    const forged = () => open("http://127.0.0.1:9", { headers: { Authorization: "Bearer t0ken\r\nX: y" } });
    expect(forged).toThrow("check PARSE3D_DICOMWEB_TOKEN");
    expect(forged).not.toThrow("t0ken");
  });

  test.each(["", "nonsense", "ftp://host/dicom-web", "http://host/dicom-web?x=1", "http://host/#x"])(
    "%j is no DICOMweb root",
    (url) => {
      expect(() => open(url)).toThrow("PARSE3D_DICOMWEB_URL is not the address of a DICOMweb root");
    },
  );
});

async function closedPort(): Promise<{ readonly url: string }> {
  await using server = await rawServer(() => {});
  return { url: `http://127.0.0.1:${server.port}/dicom-web` };
}

async function rawServer(prepare: (server: Server) => void): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  prepare(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
