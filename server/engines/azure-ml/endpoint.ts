import type { Vec3 } from "#converters/geometry/index.ts";
import type { AzureMlManifest } from "#models/index.ts";
import { openExchange } from "../remote/exchange.ts";
import { refuseStatus } from "../remote/refuse-status.ts";
import { authorization, type RemoteKey } from "../remote/remote-key.ts";
import { RemoteModelError } from "../remote/remote-model-error.ts";
import { DEFAULT_DELAYS, type RetryPolicy, retrying } from "../remote/retry.ts";
import { type EndpointAnswer, longestAnswer, readAnswer } from "./answer.ts";
import { requestBody } from "./request-body.ts";

/** Asks the endpoint for prompts on one image. */
export type Endpoint = (image: Uint8Array, size: Vec3, prompts: readonly string[]) => Promise<EndpointAnswer>;

export function openEndpoint(
  { url, deployment, timeoutSeconds, attempts, maxRequestBytes }: AzureMlManifest["endpoint"],
  key: RemoteKey,
  delays: Omit<RetryPolicy, "attempts"> = DEFAULT_DELAYS,
): Endpoint {
  const exchange = openExchange();
  return async (image, size, prompts) => {
    const body = requestBody(image, prompts);
    const bytes = body.reduce((sum, part) => sum + part.length, 0);
    if (bytes > maxRequestBytes) {
      throw new RemoteModelError(
        "too-large",
        `The image makes a request of ${(bytes / 1e6).toFixed(1)} MB; the manifest allows ${(maxRequestBytes / 1e6).toFixed(1)} MB. Crop or resample it.`,
      );
    }
    const answer = await retrying({ attempts, ...delays }, async () =>
      exchange({
        method: "POST",
        url: new URL(url),
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          ...(deployment !== undefined && { "azureml-model-deployment": deployment }),
          ...(await authorization(key)),
        },
        body,
        timeoutMs: timeoutSeconds * 1000,
        maxAnswerBytes: longestAnswer(size, prompts.length),
      }),
    );
    refuseStatus(answer, "PARSE3D_AZURE_ML_KEY or PARSE3D_AZURE_ML_KEY_FILE");
    return readAnswer(answer.body, size, prompts.length);
  };
}
