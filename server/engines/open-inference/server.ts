import { z } from "zod";
import type { OpenInferenceManifest, ServedModel } from "#models/index.ts";
import { openExchange, type RemoteAnswer } from "../remote/exchange.ts";
import { refuseStatus } from "../remote/refuse-status.ts";
import { authorization, type RemoteKey } from "../remote/remote-key.ts";
import { RemoteModelError } from "../remote/remote-model-error.ts";
import { DEFAULT_DELAYS, type RetryPolicy, retrying } from "../remote/retry.ts";

const KEY_SETTINGS = "PARSE3D_OPEN_INFERENCE_KEY or PARSE3D_OPEN_INFERENCE_KEY_FILE";

/** Of metadata, so much is room enough. */
const LONGEST_METADATA = 4 * 2 ** 20;

const ServerMetadata = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()).default([]) });

const TensorMetadata = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });

const ModelMetadata = z.object({ inputs: z.array(TensorMetadata), outputs: z.array(TensorMetadata) });

/** What a server says of a model's tensors; -1 is a length that may be any. */
export type ModelMetadata = z.infer<typeof ModelMetadata>;

/** A server of the Open Inference Protocol, version 2, over HTTP. Every call throws RemoteModelError. */
export interface InferenceServer {
  /** What it is, and that it takes binary tensors. */
  describe(): Promise<string>;
  /** Of a model that is loaded. */
  metadata(model: ServedModel): Promise<ModelMetadata>;
  /** @returns the answer with status 200 */
  infer(
    model: ServedModel,
    request: {
      readonly headers: Readonly<Record<string, string>>;
      readonly body: readonly Uint8Array[];
      readonly maxAnswerBytes: number;
    },
  ): Promise<RemoteAnswer>;
}

export function openServer(
  { url, timeoutSeconds, attempts }: OpenInferenceManifest["server"],
  key: RemoteKey,
  delays: Omit<RetryPolicy, "attempts"> = DEFAULT_DELAYS,
): InferenceServer {
  const exchange = openExchange();
  const policy = { attempts, ...delays };
  const timeoutMs = timeoutSeconds * 1000;
  const at = (path: string) => new URL(`${url.replace(/\/+$/, "")}/v2${path}`);
  const get = (path: string) =>
    retrying(policy, async () =>
      exchange({
        method: "GET",
        url: at(path),
        headers: await authorization(key),
        timeoutMs,
        maxAnswerBytes: LONGEST_METADATA,
      }),
    );

  return {
    async describe() {
      const answer = await get("");
      refuseStatus(answer, KEY_SETTINGS);
      const { name, version, extensions } = parse(ServerMetadata, answer);
      if (!extensions.includes("binary_tensor_data")) {
        throw new RemoteModelError(
          "wrong-protocol",
          "The server does not take binary tensors (the binary_tensor_data extension). Serve the model with one that does, as Triton.",
        );
      }
      return `${name} ${version}`.replace(/[^ -~]/g, "?").slice(0, 80);
    },
    async metadata(model) {
      const answer = await get(pathOf(model));
      // Triton answers 400 where the protocol says 404.
      if (answer.status === 400) throw missing(model, answer.status);
      refuseStatus(answer, KEY_SETTINGS);
      const ready = await get(`${pathOf(model)}/ready`);
      if (ready.status !== 200) throw missing(model, ready.status);
      return parse(ModelMetadata, answer);
    },
    async infer(model, { headers, body, maxAnswerBytes }) {
      const answer = await retrying(policy, async () =>
        exchange({
          method: "POST",
          url: at(`${pathOf(model)}/infer`),
          headers: { ...headers, ...(await authorization(key)) },
          body,
          timeoutMs,
          maxAnswerBytes,
        }),
      );
      if (answer.status === 400) throw refused(model, answer);
      refuseStatus(answer, KEY_SETTINGS);
      return answer;
    },
  };
}

function pathOf({ name, version }: ServedModel): string {
  return `/models/${name}${version === undefined ? "" : `/versions/${version}`}`;
}

function parse<T>(schema: z.ZodType<T>, { body }: RemoteAnswer): T {
  try {
    return schema.parse(JSON.parse(body.toString("utf8")));
  } catch (cause) {
    throw new RemoteModelError(
      "wrong-protocol",
      "The server does not describe itself as the Open Inference Protocol, version 2, prescribes. Check the address in the manifest.",
      { cause },
    );
  }
}

function missing({ name }: ServedModel, status: number): RemoteModelError {
  return new RemoteModelError(
    "model-missing",
    `The server has no model "${name}" that is ready (HTTP ${status}). Load it there, or correct its name in the manifest.`,
    { status },
  );
}

/** A model that was unloaded meanwhile, or tensors that it does not take. */
function refused(model: ServedModel, { status, body }: RemoteAnswer): RemoteModelError {
  if (/unknown model|not found|not ready|no available versions/i.test(body.toString("latin1", 0, 2000))) {
    return missing(model, status);
  }
  return new RemoteModelError(
    "wrong-shape",
    `The server's model "${model.name}" does not take the bundle's tensors (HTTP ${status}). Serve the bundle that the manifest names.`,
    { status },
  );
}
