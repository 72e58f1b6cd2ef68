import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { DomainError } from "#converters/errors.ts";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { parseMediaType } from "../../server/dicomweb/media-type.ts";
import { parseMultipart } from "../../server/dicomweb/multipart.ts";
import { collect } from "../fixtures/collect.ts";
import { type Faults, type FaultyPacs, type Handler, sendJson, startFaultyPacs } from "../fixtures/faulty-pacs.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const ct = syntheticCt(1, 64, "result");
const [file = new Uint8Array()] = ct.instances();
const [sopInstanceUid = ""] = ct.sopInstanceUids;
const SOP_CLASS = "1.2.840.10008.5.1.4.1.1.2";
const { signal } = new AbortController();

const ours = { "00081150": { vr: "UI", Value: [SOP_CLASS] }, "00081155": { vr: "UI", Value: [sopInstanceUid] } };
const stored = (more: object = {}) => ({ "00081199": { vr: "SQ", Value: [{ ...ours, ...more }] } });
const failed = (reason: number | string) => ({
  "00081198": { vr: "SQ", Value: [{ ...ours, "00081197": { vr: "US", Value: [reason] } }] },
  "00081199": { vr: "SQ" },
});
const unmentioned = { "00081198": { vr: "SQ" }, "00081199": { vr: "SQ" } };

const answers =
  (value: unknown, status = 200): Handler =>
  (_, response) =>
    sendJson(response, value, status);
const plain =
  (status: number, body = "", headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };
const html = plain(200, "<html>John Doe</html>", { "Content-Type": "text/html" });

function open({ url }: FaultyPacs, timeouts = { connectMs: 600, firstByteMs: 600, idleMs: 600 }) {
  return openDicomweb({ url, timeouts, retry: { attempts: 3, firstDelayMs: 5, maxDelayMs: 50 } });
}

/** @param held whether the archive lists the instance when it is asked */
async function storeInto(faults: Faults, { held = false, bytes = file } = {}) {
  await using pacs = await startFaultyPacs(held ? [file] : [], faults);
  using dicomweb = open(pacs);
  const answer = await dicomweb.sink.store(bytes, { signal }).catch((thrown: unknown) => thrown);
  return { answer, posts: pacs.requests.filter((request) => request === "POST studies").length };
}

describe("an instance counts as stored", () => {
  test("where the answer says so, with the address to fetch it from", async () => {
    const retrieveUrl = "http://pacs/studies/1/series/2/instances/3";
    const { answer, posts } = await storeInto({
      store: answers(stored({ "00081190": { vr: "UR", Value: [retrieveUrl] } })),
    });
    expect(answer).toEqual({ sopClassUid: SOP_CLASS, sopInstanceUid, retrieveUrl });
    expect(posts).toBe(1);
  });

  test.each<[string, Handler, boolean]>([
    ["with a warning", answers(stored({ "00081196": { vr: "US", Value: [0xb000] } }), 202), false],
    ["though the status is 400, as old Orthanc gives beside a bad part", answers(stored(), 400), false],
    ["in a list of one data set", answers([stored()]), false],
    ["where a duplicate is refused, and it is held", answers(failed(0x0111), 409), true],
    ["where it conflicts, and it is held", plain(409), true],
    ["where the answer is empty, and it is held", plain(200), true],
    ["where the answer does not mention it, and it is held", answers(unmentioned), true],
    ["where the answer is XML, and it is held", plain(200, "<x/>", { "Content-Type": "application/dicom+xml" }), true],
  ])("%s", async (_, store, held) => {
    const { answer, posts } = await storeInto({ store }, { held });
    expect(answer).toEqual({ sopClassUid: SOP_CLASS, sopInstanceUid });
    expect(posts).toBe(1);
  });

  test("after the archive was busy", async () => {
    let asked = 0;
    const store: Handler = (...args) => (++asked < 3 ? plain(503) : answers(stored()))(...args);
    const { answer, posts } = await storeInto({ store });
    expect(answer).toMatchObject({ sopInstanceUid });
    expect(posts).toBe(3);
  });
});

describe("an archive that does not store", () => {
  const rejected = { code: "store-rejected", retryable: false };

  test.each<[string, Handler, object, string]>([
    ["cannot process it", answers(failed(0x0110), 409), { ...rejected, failureReason: 0x0110 }, "0110H"],
    ["gives the reason as text", answers(failed("272"), 409), { ...rejected, failureReason: 0x0110 }, "0110H"],
    ["is full", answers(failed(0xa700), 409), { ...rejected, failureReason: 0xa700 }, "out of resources"],
    ["sees a mismatch", answers(failed(0xa900), 202), { ...rejected, failureReason: 0xa900 }, "SOP class"],
    ["does not understand", answers(failed(0xc000), 200), { ...rejected, failureReason: 0xc000 }, "understand"],
    ["takes no such class", answers(failed(0x0122), 409), { ...rejected, failureReason: 0x0122 }, "SOP class"],
    ["holds another under that UID", answers(failed(0x0111), 409), { ...rejected, failureReason: 0x0111 }, "0111H"],
    ["answers 400 with nothing in it", answers(unmentioned, 400), rejected, "HTTP 400"],
    ["answers 409 with nothing in it", plain(409), rejected, "HTTP 409"],
    ["answers 413", plain(413), rejected, "upload limit"],
    ["answers 415", plain(415), rejected, "HTTP 415"],
    ["is read-only", plain(405), rejected, "enable STOW-RS"],
    ["takes it and leaves it out", answers(unmentioned), rejected, "does not list it"],
    ["takes it and says nothing", plain(200), rejected, "does not list it"],
    ["shows a login page", html, { code: "pacs-unavailable", retryable: false }, "text/html"],
    ["refuses our token", plain(401), { code: "pacs-unavailable", retryable: false }, "PARSE3D_DICOMWEB_TOKEN"],
    ["fails", plain(500), { code: "pacs-unavailable", retryable: true }, "HTTP 500"],
    ["hangs", () => {}, { code: "pacs-timeout", retryable: true }, "no answer for 0.6 s"],
  ])("one that %s", async (_, store, expected, says) => {
    const { answer, posts } = await storeInto({ store });
    if (!(answer instanceof DomainError)) throw new Error("it was not refused", { cause: answer });
    expect(answer).toMatchObject(expected);
    expect(answer.message).toContain(says);
    expect(answer.message).not.toMatch(/John|127\.0|\d+\.\d+\.\d+/);
    expect(posts).toBe(1);
  });

  test.each<[string, Handler]>([
    ["is busy for good", plain(503)],
    ["hangs up", (request) => request.socket.destroy()],
  ])("one that %s is asked a bounded number of times", async (_, store) => {
    const { answer, posts } = await storeInto({ store });
    expect(answer).toMatchObject({ code: "pacs-unavailable", retryable: true });
    expect(posts).toBe(3);
  });

  test("one that stops reading a large object", async () => {
    const [bytes] = syntheticCt(1, 2500, "large").instances();
    const { answer } = await storeInto({ storeUnread: () => {} }, bytes ? { bytes } : {});
    expect(answer).toMatchObject({ code: "pacs-timeout" });
    expect(String(answer)).toContain("stopped taking what is sent");
  });
});

test("the body is one part, byte for byte the instance, with the length that was announced", async () => {
  let body = Buffer.alloc(0);
  let headers: Record<string, string | string[] | undefined> = {};
  const storeUnread: Handler = async (request, response) => {
    headers = request.headers;
    body = Buffer.concat(await request.toArray());
    sendJson(response, stored());
  };
  await storeInto({ storeUnread });
  expect(body).toHaveLength(Number(headers["content-length"]));
  expect(headers["content-type"]).toMatch(/^multipart\/related; type="application\/dicom"; boundary="[\w-]+"$/);
  const boundary = parseMediaType(String(headers["content-type"])).parameters.get("boundary") ?? "";
  const parts = await collect(parseMultipart(Readable.from([body]), { boundary, maxPartBytes: body.length }));
  expect(parts.map((part) => [part.headers.get("content-type"), Buffer.compare(part.body, file)])).toEqual([
    ["application/dicom", 0],
  ]);
});

test("an abort in the middle of an upload closes the connection at once", async () => {
  const [bytes = file] = syntheticCt(1, 2500, "large").instances();
  const { promise: request, resolve: arrived } = Promise.withResolvers<IncomingMessage>();
  await using pacs = await startFaultyPacs([], { storeUnread: arrived });
  using dicomweb = open(pacs, { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000 });
  const stop = new AbortController();
  const storing = dicomweb.sink.store(bytes, { signal: stop.signal });
  const incoming = await request;
  stop.abort(new Error("stopped by the test"));
  await expect(storing).rejects.toThrow("stopped by the test");
  // A server notices only when it reads on.
  await expect(incoming.toArray()).rejects.toThrow("aborted");
  expect(pacs.openSockets()).toBe(0);
});
