import type { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import type { ProblemCode } from "./problem.ts";

interface RouteBase {
  readonly method: "GET" | "POST" | "DELETE";
  /** With `:name` for the parts that `params` describes. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** True where no token is asked for. */
  readonly open?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Request headers that mean something, in lower case. */
  readonly headers?: z.ZodObject;
  /** Refused where the disk is full. */
  readonly needsRoom?: boolean;
  /** The codes of problems that are particular to it. */
  readonly problems: readonly ProblemCode[];
}

/** JSON in, JSON out. */
export interface JsonRoute extends RouteBase {
  readonly kind: "json";
  readonly status: 200 | 202;
  readonly body?: z.ZodType;
  readonly reply: z.ZodType;
  /** Larger bodies than usual are taken, up to so many bytes. */
  readonly maxBodyBytes?: number;
  /** The reply's own address, with `:id` for its `id`: the Location header. */
  readonly location?: string;
  /** The field of the reply that is there where nothing is left to be done: the status is 200 instead. */
  readonly doneIf?: string;
  /** The field of the reply that is false where the status is 503 instead. */
  readonly unavailableUnless?: string;
}

/** A stream of server-sent events; each has an integer `id` and a `type`, which are also the SSE fields id and event. */
export interface EventsRoute extends RouteBase {
  readonly kind: "events";
  readonly event: z.ZodType;
}

/** A multipart upload with one part `file`; a file as the reply. */
export interface UploadRoute extends RouteBase {
  readonly kind: "upload";
  readonly fields: z.ZodObject;
  readonly mediaType: string;
  readonly replyHeaders: Readonly<Record<string, string>>;
}

/** Bytes as the reply. */
export interface BytesRoute extends RouteBase {
  readonly kind: "bytes";
  readonly mediaType: string;
  readonly replyHeaders: Readonly<Record<string, string>>;
}

export type Route = JsonRoute | EventsRoute | UploadRoute | BytesRoute;

type Parsed<R, K extends PropertyKey> = R extends { readonly [P in K]: infer S extends z.ZodType }
  ? DeepReadonly<z.output<S>>
  : undefined;

/** What a handler is given: every part parsed, defaults filled in. */
export interface InputOf<R extends Route> {
  readonly params: Parsed<R, "params">;
  readonly query: Parsed<R, "query">;
  readonly headers: Parsed<R, "headers">;
  readonly body: Parsed<R, "body">;
}

/** The JSON that a route answers with. */
export type ReplyOf<R extends JsonRoute> = DeepReadonly<z.output<R["reply"]>>;
/** What a route's stream is made of. */
export type EventOf<R extends EventsRoute> = DeepReadonly<z.output<R["event"]>>;
/** The form fields of an upload, parsed. */
export type FieldsOf<R extends UploadRoute> = DeepReadonly<z.output<R["fields"]>>;
