import type {
  BytesRoute,
  Contract,
  EventOf,
  EventsRoute,
  FieldsOf,
  InputOf,
  JsonRoute,
  ReplyOf,
  UploadRoute,
} from "#server/contract/index.ts";
import type { Call } from "./call.ts";

export type JsonHandler<R extends JsonRoute> = (input: InputOf<R>, call: Call) => Promise<ReplyOf<R>> | ReplyOf<R>;

/** Nothing left to tell: undefined, which ends a client's reconnecting. */
export type EventsHandler<R extends EventsRoute> = (
  input: InputOf<R>,
  call: Call,
) => Promise<AsyncIterable<EventOf<R>> | undefined>;

/** An uploaded file, in a folder of its own that lives as long as the request. */
export interface UploadedFile {
  readonly path: string;
  readonly bytes: number;
  /** For the handler's own files; removed with all it holds. */
  readonly folder: string;
}

/** A file to be sent, and headers that go with it. */
export interface FileReply {
  readonly path: string;
  readonly fileName: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type UploadHandler<R extends UploadRoute> = (
  fields: FieldsOf<R>,
  file: UploadedFile,
  call: Call,
) => Promise<FileReply>;

/** Bytes to be sent: those of a file, which may be removed as soon as it is open, or these. */
export type BytesReply = (PathReply | { readonly bytes: Uint8Array }) & {
  readonly headers: Readonly<Record<string, string>>;
};

export interface PathReply {
  readonly path: string;
  /** What the file holds gzipped, in bytes: a client that takes no gzip is sent them unpacked. Absent: it is sent as it is. */
  readonly unpackedBytes?: number;
}

export type BytesHandler<R extends BytesRoute> = (input: InputOf<R>, call: Call) => Promise<BytesReply>;

/** One handler for each route of the contract. None sees HTTP. */
export type Handlers = {
  readonly [Name in keyof Contract]: Contract[Name] extends JsonRoute
    ? JsonHandler<Contract[Name]>
    : Contract[Name] extends EventsRoute
      ? EventsHandler<Contract[Name]>
      : Contract[Name] extends UploadRoute
        ? UploadHandler<Contract[Name]>
        : Contract[Name] extends BytesRoute
          ? BytesHandler<Contract[Name]>
          : never;
};
