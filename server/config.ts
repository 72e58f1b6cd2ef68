import { homedir } from "node:os";
import { join, resolve, sep } from "node:path";
import type { RemoteKeys } from "#server/engines/index.ts";
import { ConfigError } from "./config-error.ts";
import { type DatabaseConfig, readDatabase } from "./database-settings.ts";
import type { LogLevel } from "./logger.ts";
import {
  type DestinationsConfig,
  type NoticesConfig,
  readDestinations,
  readNotices,
  readRouting,
} from "./routing-settings.ts";
import { withSecretFiles } from "./secret-files.ts";
import { type Env, isKnown, Settings } from "./settings.ts";

export { ConfigError, type DatabaseConfig };

/** Who may use the server. Without a token it answers this machine only: the other mix cannot be built. */
export type Access =
  | { readonly kind: "loopback"; readonly host: string }
  | { readonly kind: "tokens"; readonly host: string; readonly tokens: readonly string[] };

/** Which other origins' pages may call the API. */
export type CorsPolicy =
  | { readonly kind: "none" }
  | { readonly kind: "loopback" }
  | { readonly kind: "list"; readonly origins: readonly string[] };

export interface HttpConfig {
  readonly access: Access;
  /** 0: any free port. */
  readonly port: number;
  readonly cors: CorsPolicy;
  readonly maxUploadBytes: number;
  /** A request that has not arrived whole after so long is refused. */
  readonly requestTimeoutMs: number;
  /** A quiet event stream sends a comment this often. */
  readonly heartbeatMs: number;
  /** How long requests may take to end when the server stops. */
  readonly shutdownMs: number;
}

export type PacsCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "basic"; readonly user: string; readonly password: string };

interface AnyRouting {
  readonly pollMs: number;
  /** What becomes of a rule's earlier result when a late instance, or another model, gives a new one. */
  readonly superseded: "keep" | "remove";
  /** Nothing else is ever routed. */
  readonly modalities: readonly string[];
}

/** Whether series are routed by themselves as they arrive in the archive, and how they are found. `url`: of Orthanc's own REST API, without a closing slash. */
export type RoutingConfig =
  | { readonly kind: "off" }
  | (AnyRouting & { readonly kind: "orthanc"; readonly url: string })
  | (AnyRouting & {
      readonly kind: "qido";
      readonly url?: string;
      /** Studies of the last so many days are looked for. */
      readonly windowDays: number;
      /** A series that has held the same number of instances for so long is complete. */
      readonly stableMs: number;
    });

/** Where rules' masks are written to as NIfTI. */
export interface NiftiConfig {
  readonly folder: string;
  /** With less free on its disk no job for it is begun. */
  readonly minFreeBytes: number;
}

/** How jobs are done by this process. */
export interface WorkerConfig {
  /** Names of the models that it answers with; absent: all that are installed. */
  readonly models?: readonly string[];
  /** A process that has given no sign for so long is dead. */
  readonly silentMs: number;
  readonly stageLimits: Readonly<Record<"fetch" | "decode" | "infer" | "encode" | "store", number>>;
  /** What must be free before a job is taken. */
  readonly minFreeDiskBytes: number;
  readonly minFreeMemoryBytes: number;
}

export interface Config {
  readonly dataFolder: string;
  readonly modelsFolder: string;
  readonly http: HttpConfig;
  readonly pacs: {
    readonly url: string;
    /** Whether the environment names it; otherwise it is the address that a local Orthanc usually has. */
    readonly isNamed: boolean;
    readonly credentials: PacsCredentials;
    /** Until the connection stands; until the answer begins; between two pieces of it. */
    readonly timeouts: { readonly connectMs: number; readonly firstByteMs: number; readonly idleMs: number };
  };
  readonly jobs: {
    readonly concurrency: number;
    readonly backlog: number;
    readonly history: number;
    /** Runs at most, of a job that no person waits for. */
    readonly attempts: number;
    /** Before the second run; doubles from there. */
    readonly retryMs: number;
  };
  readonly worker: WorkerConfig;
  /** Those that jobs keep to be cut again: where, how much on disk together, and how long. */
  readonly probabilities: { readonly folder: string; readonly maxBytes: number; readonly keepMs: number };
  /** Of what was fetched from the archive. */
  readonly cache: {
    readonly folder: string;
    readonly maxBytes: number;
    readonly keepMs: number;
    readonly minFreeBytes: number;
  };
  /** Absent where the administrator names no folder. */
  readonly nifti?: NiftiConfig;
  readonly database: DatabaseConfig;
  readonly routing: RoutingConfig;
  readonly destinations: DestinationsConfig;
  readonly notices: NoticesConfig;
  readonly inference: {
    readonly executionProvider: "auto" | "cpu" | "cuda" | "tensorrt" | "webgpu";
    readonly threads?: number;
    /** Likely targets answered beside a question; the engine's own number where absent. */
    readonly anticipate?: number;
    readonly remoteKeys?: RemoteKeys;
    /** An inference process that has answered nothing for so long is closed. */
    readonly idleMs: number;
    /** Numbers of the GPUs that local models are computed on, a process on each; the first where absent. */
    readonly gpus?: readonly number[];
    /** Names of models that are loaded before they are asked anything. */
    readonly warm: readonly string[];
  };
  /** Where weights are that their makers hand out on request, and the user's token for it. */
  readonly hub: { readonly url: string; readonly token?: string };
  readonly log: { readonly level: LogLevel };
  /** Variables that begin with PARSE3D_ and mean nothing: likely mistyped. */
  readonly unknownVariables: readonly string[];
}

/**
 * The configuration, from the environment; an empty variable counts as not set.
 * @throws ConfigError with every problem
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])),
  );
  const { set, problems } = withSecretFiles(given);
  const parsed = Settings.safeParse(set);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`);
    throw new ConfigError([...problems, ...issues]);
  }
  const e = parsed.data;
  const access = readAccess(e, problems);
  const credentials = readCredentials(e, problems);
  const hasDatabase = e.PARSE3D_DATABASE_URL !== undefined || e.PARSE3D_JOBS === "durable";
  if (e.PARSE3D_DATABASE_URL && e.PARSE3D_JOBS === "memory") {
    problems.push("PARSE3D_JOBS: memory contradicts PARSE3D_DATABASE_URL; leave one of them out");
  }
  const routing = readRouting(e, hasDatabase, problems);
  const destinations = readDestinations(e, problems);
  const notices = readNotices(e, hasDatabase, problems);
  const remoteKeys = readRemoteKeys(e, problems);
  const dataFolder = resolve(e.PARSE3D_DATA_DIR ?? defaultDataFolder(e.XDG_DATA_HOME));
  const database = readDatabase(e, dataFolder, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({
    dataFolder,
    modelsFolder: join(dataFolder, "models"),
    http: {
      access,
      port: e.PARSE3D_PORT,
      cors: readCors(e.PARSE3D_CORS_ORIGINS, access),
      maxUploadBytes: e.PARSE3D_MAX_UPLOAD_BYTES,
      requestTimeoutMs: e.PARSE3D_REQUEST_TIMEOUT_SECONDS,
      heartbeatMs: e.PARSE3D_HEARTBEAT_SECONDS,
      shutdownMs: e.PARSE3D_SHUTDOWN_SECONDS,
    },
    pacs: {
      url: e.PARSE3D_DICOMWEB_URL.replace(/\/+$/, ""),
      isNamed: "PARSE3D_DICOMWEB_URL" in set,
      credentials,
      timeouts: {
        connectMs: e.PARSE3D_DICOMWEB_CONNECT_TIMEOUT_SECONDS,
        firstByteMs: e.PARSE3D_DICOMWEB_ANSWER_TIMEOUT_SECONDS,
        idleMs: e.PARSE3D_DICOMWEB_IDLE_TIMEOUT_SECONDS,
      },
    },
    jobs: {
      // As many as there are GPUs to do them.
      concurrency: e.PARSE3D_JOB_CONCURRENCY ?? e.PARSE3D_GPUS?.length ?? 1,
      backlog: e.PARSE3D_JOB_BACKLOG,
      history: e.PARSE3D_JOB_HISTORY ?? (database.kind === "none" ? 200 : 10_000),
      attempts: e.PARSE3D_JOB_ATTEMPTS,
      retryMs: e.PARSE3D_JOB_RETRY_SECONDS,
    },
    probabilities: {
      folder: join(dataFolder, "probabilities"),
      maxBytes: e.PARSE3D_PROBABILITY_BYTES,
      keepMs: e.PARSE3D_PROBABILITY_SECONDS,
    },
    worker: {
      ...(e.PARSE3D_WORKER_MODELS && { models: e.PARSE3D_WORKER_MODELS }),
      silentMs: e.PARSE3D_WORKER_SILENT_SECONDS,
      stageLimits: {
        fetch: e.PARSE3D_FETCH_TIMEOUT_SECONDS,
        decode: e.PARSE3D_DECODE_TIMEOUT_SECONDS,
        infer: e.PARSE3D_INFER_TIMEOUT_SECONDS,
        encode: e.PARSE3D_ENCODE_TIMEOUT_SECONDS,
        store: e.PARSE3D_STORE_TIMEOUT_SECONDS,
      },
      minFreeDiskBytes: e.PARSE3D_MIN_FREE_DISK_BYTES,
      minFreeMemoryBytes: e.PARSE3D_MIN_FREE_MEMORY_BYTES,
    },
    cache: {
      folder: join(dataFolder, "cache", "series"),
      maxBytes: e.PARSE3D_CACHE_BYTES,
      keepMs: e.PARSE3D_CACHE_SECONDS,
      minFreeBytes: 2 * e.PARSE3D_MIN_FREE_DISK_BYTES,
    },
    ...(e.PARSE3D_NIFTI_FOLDER !== undefined && {
      nifti: { folder: resolve(e.PARSE3D_NIFTI_FOLDER), minFreeBytes: e.PARSE3D_MIN_FREE_DISK_BYTES },
    }),
    database,
    routing,
    destinations,
    notices,
    inference: {
      executionProvider: e.PARSE3D_EXECUTION_PROVIDER,
      ...(e.PARSE3D_THREADS !== undefined && { threads: e.PARSE3D_THREADS }),
      ...(e.PARSE3D_ANTICIPATE !== undefined && { anticipate: e.PARSE3D_ANTICIPATE }),
      ...(remoteKeys && { remoteKeys }),
      idleMs: e.PARSE3D_MODEL_IDLE_SECONDS,
      ...(e.PARSE3D_GPUS && { gpus: e.PARSE3D_GPUS }),
      warm: e.PARSE3D_WARM_MODELS,
    },
    hub: { url: e.HF_ENDPOINT.replace(/\/+$/, ""), ...(e.HF_TOKEN !== undefined && { token: e.HF_TOKEN }) },
    log: { level: e.PARSE3D_LOG_LEVEL },
    unknownVariables: Object.keys(given).filter((name) => name.startsWith("PARSE3D_") && !isKnown(name)),
  });
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function readAccess({ PARSE3D_HOST: host, PARSE3D_TOKEN, PARSE3D_TOKENS }: Env, problems: string[]): Access {
  const tokens = [...(PARSE3D_TOKEN ? [PARSE3D_TOKEN] : []), ...PARSE3D_TOKENS];
  if (tokens.length > 0) return { kind: "tokens", host, tokens };
  if (!isLoopback(host)) {
    problems.push("PARSE3D_HOST: an address that others can reach needs a token; set PARSE3D_TOKEN, or use 127.0.0.1");
  }
  return { kind: "loopback", host };
}

function readCredentials(e: Env, problems: string[]): PacsCredentials {
  const { PARSE3D_DICOMWEB_TOKEN: bearer, PARSE3D_DICOMWEB_USER: user, PARSE3D_DICOMWEB_PASSWORD: password } = e;
  if (bearer && user) problems.push("PARSE3D_DICOMWEB_TOKEN: set either it or PARSE3D_DICOMWEB_USER, not both");
  if (password && !user) problems.push("PARSE3D_DICOMWEB_PASSWORD: needs PARSE3D_DICOMWEB_USER");
  if (bearer) return { kind: "bearer", token: bearer };
  return user ? { kind: "basic", user, password: password ?? "" } : { kind: "none" };
}

function readRemoteKeys(e: Env, problems: string[]): RemoteKeys | undefined {
  const read = (name: "PARSE3D_AZURE_ML_KEY" | "PARSE3D_OPEN_INFERENCE_KEY") => {
    const [value, file] = [e[name], e[`${name}_FILE`]];
    if (value && file) problems.push(`${name}: set either it or ${name}_FILE, not both`);
    if (file) return { kind: "file", file: resolve(file) } as const;
    return value ? ({ kind: "value", value } as const) : undefined;
  };
  const [azureMl, openInference] = [read("PARSE3D_AZURE_ML_KEY"), read("PARSE3D_OPEN_INFERENCE_KEY")];
  if (!azureMl && !openInference) return undefined;
  return { ...(azureMl && { azureMl }), ...(openInference && { openInference }) };
}

function readCors(origins: readonly string[] | undefined, access: Access): CorsPolicy {
  if (origins) return origins.length === 0 ? { kind: "none" } : { kind: "list", origins };
  return isLoopback(access.host) ? { kind: "loopback" } : { kind: "none" };
}

/** Beside the checkout; where the program was installed as a package, in the user's own data folder. */
function defaultDataFolder(xdgDataHome: string | undefined): string {
  const root = resolve(import.meta.dirname, "..");
  if (!root.split(sep).includes("node_modules")) return join(root, ".parse3d");
  return join(xdgDataHome ?? join(homedir(), ".local", "share"), "parse3d");
}
