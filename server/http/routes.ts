import { open, stat } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import Router, { type RouterContext } from "@koa/router";
import {
  type BytesRoute,
  contract,
  type EventsRoute,
  type JsonRoute,
  type Route,
  type UploadRoute,
} from "#server/contract/index.ts";
import type { RequestState } from "./call.ts";
import { toEventStream } from "./event-stream.ts";
import { toInput } from "./form-fields.ts";
import type { BytesHandler, BytesReply, EventsHandler, Handlers, JsonHandler, UploadHandler } from "./handlers.ts";
import { parseFields, parseInput } from "./parse-input.ts";
import { readJson } from "./read-json.ts";
import { receiveUpload } from "./upload.ts";

export interface RouteOptions {
  readonly maxUploadBytes: number;
  readonly heartbeatMs: number;
  /** Asked before a job or a file is taken. @throws where there is no room for it */
  readonly admit?: (() => Promise<void>) | undefined;
}

type Context = RouterContext<RequestState>;

/** Mounts every route of the contract on its handler. */
export function contractRoutes(handlers: Handlers, options: RouteOptions): Router<RequestState> {
  const router = new Router<RequestState>();
  for (const [name, route] of Object.entries<Route>(contract)) {
    // The names of handlers and routes are the same by the type Handlers; a loop over names cannot show it to the compiler.
    const handler = handlers[name as keyof Handlers] as unknown;
    router.register(route.path, [route.method], async (ctx) => {
      ctx.state.route = name;
      if (ctx.params.id !== undefined) ctx.state.subject = ctx.params.id;
      if (route.needsRoom) await options.admit?.();
      switch (route.kind) {
        case "json":
          return answerJson(ctx, route, handler as JsonHandler<JsonRoute>);
        case "events":
          return answerEvents(ctx, route, handler as EventsHandler<EventsRoute>, options);
        case "upload":
          return answerUpload(ctx, route, handler as UploadHandler<UploadRoute>, options);
        case "bytes":
          return answerBytes(ctx, route, handler as BytesHandler<BytesRoute>);
        default:
          return route satisfies never;
      }
    });
  }
  return router;
}

async function answerJson(ctx: Context, route: JsonRoute, handle: JsonHandler<JsonRoute>): Promise<void> {
  const body = route.body && (await readJson(ctx.req, route.maxBodyBytes));
  const reply = await handle(parseInput(route, { ...rawInput(ctx), body }), ctx.state);
  const field = (name: string) => (reply as Readonly<Record<string, unknown>>)[name];
  const id = field("id");
  if (typeof id === "string") ctx.state.subject = id;
  const isUnavailable = route.unavailableUnless !== undefined && !field(route.unavailableUnless);
  const isDone = route.doneIf !== undefined && field(route.doneIf) !== undefined;
  ctx.status = isUnavailable ? 503 : isDone ? 200 : route.status;
  if (route.location) ctx.set("Location", route.location.replace(":id", String(field("id"))));
  ctx.type = "application/json";
  ctx.body = JSON.stringify(reply);
}

async function answerEvents(
  ctx: Context,
  route: EventsRoute,
  handle: EventsHandler<EventsRoute>,
  { heartbeatMs }: RouteOptions,
): Promise<void> {
  const events = await handle(parseInput(route, rawInput(ctx)), ctx.state);
  if (!events) {
    ctx.status = 204;
    return;
  }
  ctx.set({
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
  });
  ctx.status = 200;
  if (ctx.method !== "HEAD") ctx.body = Readable.from(toEventStream(events as AsyncIterable<never>, { heartbeatMs }));
}

async function answerUpload(
  ctx: Context,
  route: UploadRoute,
  handle: UploadHandler<UploadRoute>,
  { maxUploadBytes }: RouteOptions,
): Promise<void> {
  await using upload = await receiveUpload(ctx.req, { maxBytes: maxUploadBytes, signal: ctx.state.signal });
  const fields = parseFields(route.fields, toInput(upload.fields));
  const reply = await handle(fields, upload.file, ctx.state);
  ctx.set("Content-Disposition", `attachment; filename="${reply.fileName}"`);
  await sendFile(ctx, route, reply);
}

async function answerBytes(ctx: Context, route: BytesRoute, handle: BytesHandler<BytesRoute>): Promise<void> {
  const reply = await handle(parseInput(route, rawInput(ctx)), ctx.state);
  if ("path" in reply) return sendFile(ctx, route, reply);
  ctx.set(reply.headers);
  ctx.type = route.mediaType;
  ctx.body = Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength);
}

async function sendFile(
  ctx: Context,
  { mediaType }: { readonly mediaType: string },
  { path, headers, unpackedBytes }: Extract<BytesReply, { readonly path: string }>,
): Promise<void> {
  const { size } = await stat(path);
  // Once it is open, the file can be read to its end although the folder is removed before the first byte goes out.
  const file = await open(path);
  ctx.set(headers);
  ctx.type = mediaType;
  if (unpackedBytes !== undefined) ctx.vary("Accept-Encoding");
  const isUnpacked = unpackedBytes !== undefined && ctx.acceptsEncodings("gzip", "identity") !== "gzip";
  if (unpackedBytes !== undefined && !isUnpacked) ctx.set("Content-Encoding", "gzip");
  ctx.length = isUnpacked ? unpackedBytes : size;
  // A stream that breaks off ends the connection before the length that was told: the client sees it.
  ctx.body = isUnpacked ? pipeline(file.createReadStream(), createGunzip(), () => {}) : file.createReadStream();
}

function rawInput({ params, query, headers }: Context) {
  return { params, query: { ...query }, headers };
}
