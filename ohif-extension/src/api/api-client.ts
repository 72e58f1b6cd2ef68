import type { z } from "zod";
import { type Contract, contract, type EventOf, Problem, type ReplyOf, type Route } from "#server/contract/index.ts";
import type { BytesClientRoute, ClientRoute, JsonClientRoute } from "./client-routes.ts";
import { ApiProblemError, ServerUnreachableError, UnexpectedAnswerError } from "./errors.ts";
import { readEventStream } from "./event-stream.ts";

type QueryOf<R> = R extends { readonly query: infer Query extends z.ZodType }
  ? { readonly [Key in keyof z.output<Query>]?: string }
  : never;

export interface ApiRequest<Query = Readonly<Record<string, string>>> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * The HTTP API as its contract describes it. Everything throws ApiProblemError, ServerUnreachableError,
 * UnexpectedAnswerError, or the signal's reason.
 */
export interface ApiClient {
  call<Name extends JsonClientRoute>(
    name: Name,
    request?: ApiRequest<QueryOf<Contract[Name]>>,
  ): Promise<ReplyOf<Contract[Name]>>;
  /** A route's bytes, whatever they were sent as, and the answer's headers. */
  bytes(
    name: BytesClientRoute,
    request?: ApiRequest,
  ): Promise<{ readonly bytes: Uint8Array; header(name: string): string | null }>;
  /** A job's events after the one with id `after`, until the stream ends or breaks. */
  events(
    jobId: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<EventOf<Contract["jobEvents"]>>;
}

export interface ApiClientOptions {
  /** Of the server, without a slash at the end; may be a path of the page's own origin. */
  readonly baseUrl: string;
  /** What says who the user is, asked for at each request. */
  headers(): Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

export function createApiClient({ baseUrl, headers, fetch: send = fetch }: ApiClientOptions): ApiClient {
  async function open(
    name: ClientRoute,
    request: ApiRequest,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const route: Route = contract[name];
    const path = route.path.replace(/:(\w+)/g, (_, part: string) => encodeURIComponent(request.params?.[part] ?? ""));
    const query = request.query ? `?${new URLSearchParams(Object.entries(request.query))}` : "";
    const { body, signal } = request;
    let response: Response;
    try {
      response = await send(`${baseUrl}${path}${query}`, {
        method: route.method,
        headers: { ...headers(), ...(body !== undefined && { "Content-Type": "application/json" }), ...more },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
    } catch (cause) {
      throw lost(signal, cause);
    }
    if (response.ok) return response;
    const problem = Problem.safeParse(await response.json().catch(() => undefined));
    if (problem.success) throw new ApiProblemError(problem.data);
    // What stands between says so when the server is down.
    if (response.status >= 502) throw new ServerUnreachableError(`status ${response.status}`);
    throw unexpected(`status ${response.status} without a reason`);
  }

  function unexpected(what: string, cause?: unknown): UnexpectedAnswerError {
    return new UnexpectedAnswerError(
      `What answers at ${baseUrl || "this address"} is not the Parse3D server that this panel knows (${what}). Is the address right, and are both of the same version?`,
      { cause },
    );
  }

  function parseEvent(data: string): EventOf<Contract["jobEvents"]> {
    try {
      return contract.jobEvents.event.parse(JSON.parse(data)) as EventOf<Contract["jobEvents"]>;
    } catch (cause) {
      throw unexpected(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  return {
    async call(name, request = {}) {
      const response = await open(name, request);
      let text: string;
      try {
        text = await response.text();
      } catch (cause) {
        throw lost(request.signal, cause);
      }
      try {
        return contract[name].reply.parse(JSON.parse(text)) as ReplyOf<Contract[typeof name]>;
      } catch (cause) {
        throw unexpected(cause instanceof Error ? cause.message : String(cause), cause);
      }
    },

    async bytes(name, request = {}) {
      const response = await open(name, request);
      try {
        const bytes = new Uint8Array(await response.arrayBuffer());
        return { bytes, header: (header) => response.headers.get(header) };
      } catch (cause) {
        throw lost(request.signal, cause);
      }
    },

    async *events(jobId, { after, signal }) {
      const lastEventId = after > 0 ? { "Last-Event-ID": String(after) } : {};
      const { body } = await open("jobEvents", { params: { id: jobId }, signal }, lastEventId);
      if (!body) return;
      const events = readEventStream(body);
      for (;;) {
        const next = await events.next().catch((cause: unknown) => {
          throw lost(signal, cause);
        });
        if (next.done) return;
        yield parseEvent(next.value.data);
      }
    },
  };
}

function lost(signal: AbortSignal | undefined, cause: unknown): unknown {
  return signal?.aborted ? signal.reason : new ServerUnreachableError("no answer", { cause });
}
