import {
  type Contract,
  contract,
  type EventOf,
  type JsonRoute,
  Problem,
  type ReplyOf,
  type Route,
} from "#server/contract/index.ts";
import { ApiProblemError, ServerUnreachableError } from "./errors.ts";
import { readEventStream } from "./event-stream.ts";

type JsonName = { [Name in keyof Contract]: Contract[Name] extends JsonRoute ? Name : never }[keyof Contract];

export interface ApiRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** The HTTP API as its contract describes it. Everything throws ApiProblemError, ServerUnreachableError, the signal's reason. */
export interface ApiClient {
  call<Name extends JsonName>(name: Name, request?: ApiRequest): Promise<ReplyOf<Contract[Name]>>;
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
    name: keyof Contract,
    request: ApiRequest,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const route: Route = contract[name];
    const path = route.path.replace(/:(\w+)/g, (_, part: string) => encodeURIComponent(request.params?.[part] ?? ""));
    const query = request.query ? `?${new URLSearchParams(request.query)}` : "";
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
      throw unreachable(signal, cause);
    }
    if (response.ok) return response;
    const document: unknown = await response.json().catch(() => undefined);
    const problem = Problem.safeParse(document);
    if (problem.success) throw new ApiProblemError(problem.data);
    if (route.kind === "json" && route.reply.safeParse(document).success) {
      // Part of the contract: /readyz tells with 503, and in full, what is not ready.
      return Response.json(document);
    }
    throw new ServerUnreachableError(`status ${response.status} without a reason`);
  }

  return {
    async call(name, request = {}) {
      const response = await open(name, request);
      try {
        return contract[name].reply.parse(await response.json()) as ReplyOf<Contract[typeof name]>;
      } catch (cause) {
        throw unreachable(request.signal, cause);
      }
    },

    async *events(jobId, { after, signal }) {
      const lastEventId = after > 0 ? { "Last-Event-ID": String(after) } : {};
      const { body } = await open("jobEvents", { params: { id: jobId }, signal }, lastEventId);
      if (!body) return;
      try {
        for await (const { data } of readEventStream(body)) yield contract.jobEvents.event.parse(JSON.parse(data));
      } catch (cause) {
        throw unreachable(signal, cause);
      }
    },
  };
}

function unreachable(signal: AbortSignal | undefined, cause: unknown): unknown {
  return signal?.aborted ? signal.reason : new ServerUnreachableError("no answer", { cause });
}
