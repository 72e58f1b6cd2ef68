import { DomainError } from "#converters/errors.ts";
import { type Contract, contract, type JsonRoute, Problem, type ReplyOf } from "#server/contract/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { RemoteError } from "#server/jobs/index.ts";
import { type Access, readConfig } from "../config.ts";

type JsonName = { [Name in keyof Contract]: Contract[Name] extends JsonRoute ? Name : never }[keyof Contract];

export interface ServerRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The server that runs with the same configuration, through its API. */
export interface RunningServer {
  readonly url: string;
  /** @throws ServerNotRunningError, RemoteError with the problem's code, the signal's reason */
  call<Name extends JsonName>(name: Name, request?: ServerRequest): Promise<ReplyOf<Contract[Name]>>;
}

class ServerNotRunningError extends DomainError {
  override readonly name = "ServerNotRunningError";
  readonly code = "model-unavailable";
  override readonly retryable = true;

  constructor(url: string, options: ErrorOptions) {
    super(
      `No Parse3D server answers at ${url}: start it (parse3d serve), or set PARSE3D_HOST and PARSE3D_PORT to where it is.`,
      options,
    );
  }
}

/** Jobs and rules belong to the running server: it alone has an embedded database open, and it knows who asks. */
export function findServer({ signal }: { readonly signal: AbortSignal }): RunningServer {
  const { access, port } = readConfig().http;
  if (port === 0) throw new InvalidRequestError("PARSE3D_PORT is 0, any free one: set it to the server's.");
  const url = `http://${hostOf(access)}:${port}`;
  const authorization = access.kind === "tokens" ? { Authorization: `Bearer ${access.tokens[0]}` } : undefined;
  return {
    url,
    call: async (name, { params, query, body } = {}) => {
      const route = contract[name];
      const path = route.path.replace(/:(\w+)/g, (_, part) => encodeURIComponent(params?.[part] ?? ""));
      const search = query ? `?${new URLSearchParams(query)}` : "";
      let response: Response;
      try {
        response = await fetch(`${url}${path}${search}`, {
          method: route.method,
          headers: { ...authorization, ...(body !== undefined && { "Content-Type": "application/json" }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal,
        });
      } catch (cause) {
        signal.throwIfAborted();
        throw new ServerNotRunningError(url, { cause });
      }
      const document: unknown = await response.json().catch(() => undefined);
      if (response.ok) return route.reply.parse(document) as ReplyOf<Contract[typeof name]>;
      throw remoteError(document, url);
    },
  };
}

/** The address to reach a server at that listens on all of them. */
function hostOf({ host }: Access): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function remoteError(document: unknown, url: string): Error {
  const problem = Problem.safeParse(document).data;
  if (!problem) return new InvalidRequestError(`What answers at ${url} is not a Parse3D server: check PARSE3D_PORT.`);
  const { code, detail, retryable, details = {} } = problem;
  switch (code) {
    // What only HTTP can get wrong has no code of its own here.
    case "not-found":
    case "method-not-allowed":
    case "unsupported-media-type":
      return new InvalidRequestError(detail);
    default:
      return new RemoteError({ code, ...(detail !== undefined && { message: detail }), retryable, details });
  }
}
