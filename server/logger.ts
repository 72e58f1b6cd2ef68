import { createHash } from "node:crypto";
import { type DestinationStream, pino } from "pino";

/** What may stand in the log, and nothing else: no name, no identifier of a patient, no prompt's text, no plain UID. */
const allowed = [
  "requestId",
  "jobId",
  "route",
  "method",
  "status",
  "state",
  "stage",
  "kind",
  "code",
  "reason",
  "retryable",
  "ms",
  "attempt",
  "delayMs",
  "bytes",
  "instances",
  "slices",
  "frames",
  "voxels",
  "prompts",
  "jobs",
  "model",
  "modelVersion",
  "provider",
  "requested",
  "actual",
  "fallbackReason",
  "threads",
  "seriesHash",
  "studyHash",
  "instanceHash",
  "operation",
  "host",
  "port",
  "pid",
  "signal",
  "exitCode",
  "stderr",
  "version",
  "variables",
] as const;

type Attribute = (typeof allowed)[number];
type Value = string | number | boolean | null | undefined;

/** An event's name, then its data. Whatever is not on the list of allowed attributes is dropped. */
export type LogFields = {
  /** Like "series.decoded". */
  readonly event: string;
  /** An error that was not foreseen: its type, message and stack are kept. */
  readonly err?: unknown;
} & { readonly [K in Attribute]?: Value };

export type LogBindings = { readonly [K in Attribute]?: Value };

export interface Logger {
  debug(fields: LogFields): void;
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields): void;
  /** The same logger, with these attributes on every line. */
  child(bindings: LogBindings): Logger;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** One JSON object for each line, to standard error unless told otherwise. */
export function createLogger({
  level,
  destination = pino.destination({ fd: 2, sync: true }),
}: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Logger {
  const base = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: (it) => it } },
    destination,
  );
  const bound = (bindings: LogBindings): Logger => {
    const write = (at: Exclude<LogLevel, "silent">) => (fields: LogFields) =>
      base[at]({ event: scrub(fields.event), ...bindings, ...keepAllowed(fields), ...describeError(fields.err) });
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (more) => bound({ ...bindings, ...keepAllowed(more) }),
    };
  };
  return bound({});
}

/** A UID as it may stand in the log: the same UID gives the same word, and the word does not give the UID. */
export function hashUid(uid: string): string {
  return createHash("sha256").update(uid).digest("hex").slice(0, 12);
}

function keepAllowed(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of allowed) {
    const value = fields[name];
    // Of what a process said before it died, the end tells why.
    if (typeof value === "string")
      kept[name] = name === "stderr" ? scrub(value).slice(-500) : scrub(value).slice(0, 500);
    else if (typeof value === "number" || typeof value === "boolean" || value === null) kept[name] = value;
  }
  return kept;
}

function describeError(error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  if (!(error instanceof Error)) return { err: { type: typeof error } };
  const { name, message, stack, cause } = error;
  return {
    err: {
      type: name,
      message: scrub(message),
      ...(stack && { stack: scrub(stack) }),
      ...(cause !== undefined && {
        cause: scrub(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)),
      }),
    },
  };
}

/** Anything that looks like a UID (five numbers or more, joined by dots) is hashed, wherever it stands. */
function scrub(text: string): string {
  return text.replace(/\d+(?:\.\d+){4,}/g, (uid) => `uid:${hashUid(uid)}`);
}
