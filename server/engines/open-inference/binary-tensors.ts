import { z } from "zod";
import { RemoteModelError } from "../remote/remote-model-error.ts";
import type { Datatype } from "./graph-shapes.ts";

/** Values in C order, as bytes, little-endian. */
export interface WireTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The header that says where JSON ends and tensors begin, in both directions. */
export const JSON_LENGTH = "inference-header-content-length";

/** Of the answer's JSON, so much is room enough: a few names and shapes. */
const LONGEST_JSON = 2 ** 20;

export const BYTES_OF: Readonly<Record<Datatype, number>> = { INT64: 8, FP32: 4, UINT8: 1 };

/** An infer request with the binary tensor data extension: JSON, then the inputs' bytes one after the other. */
export function encodeInfer(
  inputs: readonly WireTensor[],
  outputs: readonly string[],
): { readonly headers: Readonly<Record<string, string>>; readonly body: readonly Uint8Array[] } {
  const document = {
    inputs: inputs.map(({ name, datatype, shape, bytes }) => ({
      name,
      datatype,
      shape,
      parameters: { binary_data_size: bytes.length },
    })),
    outputs: outputs.map((name) => ({ name, parameters: { binary_data: true } })),
  };
  const json = Buffer.from(JSON.stringify(document));
  return {
    headers: { "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": String(json.length) },
    body: [json, ...inputs.map(({ bytes }) => bytes)],
  };
}

const InferAnswer = z.object({
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int().nonnegative()),
      parameters: z.object({ binary_data_size: z.int().nonnegative() }),
    }),
  ),
});

/** Of the longest answer with outputs of so many bytes. */
export function longestAnswer(outputBytes: number): number {
  return outputBytes + LONGEST_JSON;
}

/**
 * The outputs of an infer answer, by name; each on memory of its own.
 * @param jsonLength the answer's Inference-Header-Content-Length
 * @throws RemoteModelError "wrong-protocol", "cut-off"
 */
export function decodeInfer(
  body: Uint8Array,
  jsonLength: string | undefined,
): ReadonlyMap<string, Omit<WireTensor, "datatype"> & { readonly datatype: string }> {
  if (jsonLength === undefined || !/^\d{1,9}$/.test(jsonLength)) {
    throw wrongProtocol("does not use the binary tensor data extension");
  }
  const start = Number(jsonLength);
  if (start > body.length) throw cutOff();
  const { outputs } = parseJson(body.subarray(0, start));
  let offset = start;
  const tensors = outputs.map(({ name, datatype, shape, parameters: { binary_data_size: length } }) => {
    if (offset + length > body.length) throw cutOff();
    const bytes = new Uint8Array(body.subarray(offset, offset + length));
    offset += length;
    return [name, { name, datatype, shape, bytes }] as const;
  });
  return new Map(tensors);
}

function parseJson(bytes: Uint8Array): z.infer<typeof InferAnswer> {
  try {
    return InferAnswer.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw wrongProtocol("is not of the form that the protocol prescribes", cause);
  }
}

function wrongProtocol(what: string, cause?: unknown): RemoteModelError {
  return new RemoteModelError(
    "wrong-protocol",
    `The server's answer ${what}. Check that the address in the manifest is a server of the Open Inference Protocol, version 2, with the binary_tensor_data extension.`,
    { cause },
  );
}

function cutOff(): RemoteModelError {
  return new RemoteModelError(
    "cut-off",
    "The server's answer ends before its tensors do. Ask again; if it happens again, look at the server's log.",
  );
}
