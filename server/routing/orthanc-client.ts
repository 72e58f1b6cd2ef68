import { z } from "zod";
import { PacsTimeoutError, PacsUnavailableError } from "#server/domain/index.ts";

/** One change of the archive (Orthanc Book, "Tracking changes"). */
export interface OrthancChange {
  readonly seq: number;
  readonly type: string;
  readonly resourceId: string;
}

export interface OrthancSeries {
  readonly id: string;
  readonly instanceIds: readonly string[];
  /** Nothing has arrived in it for a while. */
  readonly isStable: boolean;
}

/** What routing asks of an Orthanc. Every method throws PacsUnavailableError, PacsTimeoutError, the signal's reason. */
export interface OrthancClient {
  /** Changes after `since`, oldest first, and the number of the newest one that was looked at. */
  changes(since: number, limit: number): Promise<{ changes: readonly OrthancChange[]; last: number; done: boolean }>;
  lastChange(): Promise<number>;
  /** Undefined where there is none (any more). */
  series(id: string): Promise<OrthancSeries | undefined>;
  seriesOfInstance(id: string): Promise<string | undefined>;
  /** Attributes by keyword; text values joined by backslashes, sequences as lists. */
  tags(instanceId: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The file meta information, by keyword. */
  header(instanceId: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  metadata(instanceId: string, name: string): Promise<string | undefined>;
  /** Series of studies since a day (YYYYMMDD), in no particular order. */
  seriesSince(day: string, limit: number): Promise<readonly string[]>;
}

export interface OrthancClientOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** For each request; default 30,000. */
  readonly timeoutMs?: number;
}

const Changes = z.object({
  Changes: z.array(z.object({ Seq: z.int(), ChangeType: z.string(), ID: z.string() })),
  Last: z.int(),
  Done: z.boolean(),
});
const Series = z.object({ ID: z.string(), Instances: z.array(z.string()), IsStable: z.boolean() });
const Instance = z.object({ ParentSeries: z.string() });
const Tags = z.record(z.string(), z.unknown());
const Ids = z.array(z.string());

/** Orthanc's own REST API, 1.10 and newer. */
export function createOrthancClient({ url, headers, signal, timeoutMs = 30_000 }: OrthancClientOptions): OrthancClient {
  async function ask(path: string, body?: unknown): Promise<Response | undefined> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        headers: { "User-Agent": "parse3d", ...headers },
        redirect: "error",
        signal: within,
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw fault(cause);
    }
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    const denied = response.status === 401 || response.status === 403;
    const hint = denied ? "check its user and password" : "see its log";
    throw new PacsUnavailableError(`Orthanc answers ${response.status}: ${hint}.`, {
      status: response.status,
      retryable: !denied,
    });
  }

  function fault(cause: unknown): Error {
    if (signal.aborted) return signal.reason;
    if (cause instanceof Error && cause.name === "TimeoutError") {
      return new PacsTimeoutError(`Orthanc gave no answer within ${timeoutMs / 1000} s.`, { cause });
    }
    return new PacsUnavailableError("Orthanc cannot be reached: start it, or check PARSE3D_ORTHANC_URL.", { cause });
  }

  async function read<T>(schema: z.ZodType<T>, path: string, body?: unknown): Promise<T | undefined> {
    const response = await ask(path, body);
    if (!response) return undefined;
    let document: unknown;
    try {
      document = await response.json();
    } catch (cause) {
      throw cause instanceof SyntaxError ? notOrthanc(cause) : fault(cause);
    }
    const parsed = schema.safeParse(document);
    if (!parsed.success) throw notOrthanc(parsed.error);
    return parsed.data;
  }

  async function readChanges(query: string) {
    const page = await read(Changes, `/changes?${query}`);
    if (!page) throw notOrthanc(undefined);
    return page;
  }

  return {
    changes: async (since, limit) => {
      const { Changes: changes, Last: last, Done: done } = await readChanges(`since=${since}&limit=${limit}`);
      return {
        changes: changes.map(({ Seq, ChangeType, ID }) => ({ seq: Seq, type: ChangeType, resourceId: ID })),
        last,
        done,
      };
    },
    lastChange: async () => (await readChanges("last")).Last,
    series: async (id) => {
      const found = await read(Series, `/series/${encodeURIComponent(id)}`);
      return found && { id: found.ID, instanceIds: [...found.Instances].sort(), isStable: found.IsStable };
    },
    seriesOfInstance: async (id) => (await read(Instance, `/instances/${encodeURIComponent(id)}`))?.ParentSeries,
    tags: (instanceId) => read(Tags, `/instances/${encodeURIComponent(instanceId)}/simplified-tags`),
    header: (instanceId) => read(Tags, `/instances/${encodeURIComponent(instanceId)}/header?simplify`),
    metadata: async (instanceId, name) => {
      const response = await ask(`/instances/${encodeURIComponent(instanceId)}/metadata/${name}`);
      return response && (await response.text()).trim();
    },
    seriesSince: async (day, limit) => {
      const query = { Level: "Series", Query: { StudyDate: `${day}-` }, Limit: limit };
      return (await read(Ids, "/tools/find", query)) ?? [];
    },
  };
}

function notOrthanc(cause: unknown): PacsUnavailableError {
  const message =
    "What answered is not an Orthanc: PARSE3D_ORTHANC_URL is the address of its own API, like http://127.0.0.1:8042.";
  return new PacsUnavailableError(message, { cause, retryable: false });
}
