import { z } from "zod";
import { FileRef, Name } from "../card-fields.ts";
import { BundleManifest } from "../contract.ts";
import { Patience, RemoteAddress } from "./remote-address.ts";

const ServedModel = z
  .object({
    name: z.string().regex(/^[\w.-]{1,200}$/, "letters, digits, dots, hyphens and underscores"),
    /** The server's own choice, usually its newest, where absent. */
    version: z
      .string()
      .regex(/^[\w.-]{1,50}$/)
      .exactOptional(),
  })
  .readonly();

/** A graph as a server of the Open Inference Protocol calls it. */
export type ServedModel = z.infer<typeof ServedModel>;

/** manifest.json of a bundle whose two graphs run on a server of the Open Inference Protocol, version 2, over HTTP. */
export const OpenInferenceManifest = z
  .object({
    schemaVersion: z.literal(1),
    engine: z.literal("open-inference"),
    name: Name,
    server: z
      .object({
        /** Root of the server, before `/v2`. */
        url: RemoteAddress,
        textEncoder: ServedModel,
        imageModel: ServedModel,
        /** Slices of one request. */
        slicesPerRequest: z.int().min(1).max(512),
        /** Requests of slices that are under way at the same time. */
        parallel: z.int().min(1).max(64),
        ...Patience,
      })
      .readonly(),
    /** The manifest of the bundle that is served, as it was. Its golden sample proves that the server has the same one. */
    bundle: BundleManifest,
    /** In this folder; the graphs and the weights are the server's. */
    files: z.object({ tokenizer: FileRef.exactOptional() }).readonly(),
  })
  .readonly()
  .refine(({ bundle, files }) => (bundle.files.tokenizer === undefined) === (files.tokenizer === undefined), {
    path: ["files", "tokenizer"],
    message: "a bundle with a tokenizer of its own needs it here",
  });

export type OpenInferenceManifest = z.infer<typeof OpenInferenceManifest>;
