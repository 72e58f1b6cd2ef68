import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobEvent } from "#server/contract/index.ts";
import { createApiClient } from "../src/api/api-client.ts";
import { ApiProblemError, ServerUnreachableError, UnexpectedAnswerError } from "../src/api/errors.ts";
import { readEventStream } from "../src/api/event-stream.ts";
import { followJob } from "../src/api/follow-job.ts";
import { found, problem, running, succeeded, vocabulary } from "./samples.ts";

interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A client whose requests are answered here, one after the other; a function may also throw, as a lost network does. */
function clientOf(...answers: readonly (() => Response)[]) {
  const seen: Seen[] = [];
  const api = createApiClient({
    baseUrl: "/parse3d-api",
    headers: () => ({ Authorization: "Bearer secret" }),
    fetch: async (url, { method = "GET", headers, body } = {}) => {
      seen.push({ url: String(url), method, headers: new Headers(headers), body: body && JSON.parse(String(body)) });
      const answer = answers[Math.min(seen.length, answers.length) - 1];
      if (!answer) throw new Error("no answer was prepared");
      return answer();
    },
  });
  return { api, seen };
}

const signal = new AbortController().signal;
const at = "2026-01-01T10:00:00.000Z";
const events: readonly JobEvent[] = [
  { id: 1, at, type: "state", job: running },
  { id: 4, at, type: "progress", stage: "fetch", fraction: 0.5, detail: "3/6" },
  { id: 5, at, type: "finding", finding: found },
  { id: 9, at, type: "state", job: succeeded },
];
const block = (event: JobEvent) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const stream = (...parts: readonly string[]) =>
  new Response(new Blob(["retry: 2000\n\n", ...parts]), { headers: { "Content-Type": "text/event-stream" } });

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("the API client", () => {
  test("makes method, address and body of the contract, and says who asks", async () => {
    const { api, seen } = clientOf(
      () => Response.json(running, { status: 202 }),
      () => Response.json(vocabulary),
      () => Response.json(running),
    );
    const body = { studyInstanceUid: "1.2", seriesInstanceUid: "1.2.3", prompts: ["liver"] };
    await api.call("submitJob", { body });
    await api.call("readVocabulary", { query: { modality: "CT" } });
    await api.call("cancelJob", { params: { id: "a/b" } });
    expect(seen.map(({ method, url, body: sent }) => [method, url, sent])).toEqual([
      ["POST", "/parse3d-api/v1/jobs", body],
      ["GET", "/parse3d-api/v1/vocabulary?modality=CT", undefined],
      ["DELETE", "/parse3d-api/v1/jobs/a%2Fb", undefined],
    ]);
    expect(seen.map(({ headers }) => headers.get("Authorization"))).toEqual(Array(3).fill("Bearer secret"));
  });

  test("a problem document is told in its own words", async () => {
    const { api } = clientOf(() => Response.json(problem, { status: 422 }));
    const failure = await api.call("readJob", { params: { id: "j1" } }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiProblemError);
    expect(failure).toMatchObject({ message: problem.detail, problem: { code: "unsupported-series" } });
  });

  test.each([
    ["a lost network", () => Promise.reject(new TypeError("Failed to fetch"))],
    ["a gateway without a server behind it", () => new Response("Bad gateway", { status: 502 })],
  ])("%s is a server that does not answer", async (_, answer) => {
    const api = createApiClient({ baseUrl: "", headers: () => ({}), fetch: async () => answer() });
    await expect(api.call("health")).rejects.toBeInstanceOf(ServerUnreachableError);
  });

  test.each([
    ["a page", () => new Response("<!doctype html>")],
    ["another service's document", () => Response.json({ status: "UP" })],
    ["another service's error", () => new Response("no", { status: 404 })],
  ])("%s is not taken for a reply", async (_, answer) => {
    const { api } = clientOf(answer);
    await expect(api.call("health")).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  test("a request that was given up tells why it was", async () => {
    const gone = AbortSignal.abort(new Error("left"));
    const api = createApiClient({ baseUrl: "", headers: () => ({}), fetch });
    await expect(api.call("health", { signal: gone })).rejects.toThrow("left");
  });
});

describe("an event stream", () => {
  test("however it is cut into pieces, the events are the same", async () => {
    const bytes = new TextEncoder().encode(`: still here\n\n${events.map(block).join("")}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((edge, n) => bytes.slice(edges[n], edge));
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            for (const piece of pieces) controller.enqueue(piece);
            controller.close();
          },
        });
        const read = await all(readEventStream(body));
        expect(read.map(({ id, data }) => [Number(id), JSON.parse(data)])).toEqual(events.map((e) => [e.id, e]));
      }),
    );
  });
});

describe("following a job", () => {
  const wait = async () => {};

  test("a broken stream goes on after the last event that was seen", async () => {
    const contact: boolean[] = [];
    const { api, seen } = clientOf(
      () => stream(block(events[0]!), block(events[1]!), "id: 5\nevent: fin"),
      () => {
        throw new TypeError("Failed to fetch");
      },
      () => stream(block(events[2]!), block(events[3]!)),
    );
    const followed = await all(followJob(api, "j1", { signal, wait, onContact: (reached) => contact.push(reached) }));
    expect(followed).toEqual(events);
    expect(seen.map(({ headers }) => headers.get("Last-Event-ID"))).toEqual([null, "4", "4"]);
    expect(contact).toEqual([false, true]);
  });

  test("it ends with the job, and asks no more", async () => {
    const { api, seen } = clientOf(() => stream(...events.map(block)));
    await all(followJob(api, "j1", { signal, wait }));
    expect(seen).toHaveLength(1);
  });

  test("a job that the server does not know any more ends it with the server's words", async () => {
    const { api } = clientOf(() => Response.json({ ...problem, code: "job-not-found" }, { status: 404 }));
    await expect(all(followJob(api, "j1", { signal, wait }))).rejects.toBeInstanceOf(ApiProblemError);
  });
});
