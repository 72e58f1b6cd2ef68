import type { RemoteAnswer } from "./exchange.ts";
import { RemoteModelError } from "./remote-model-error.ts";

/**
 * What an answer that is not 200 means. The server's own words are not repeated: they may hold a part of the request.
 * @param settings where the key comes from, in the operator's terms
 */
export function refuseStatus({ status }: Pick<RemoteAnswer, "status">, settings: string): void {
  if (status === 200) return;
  const say = (...[fault, words]: ConstructorParameters<typeof RemoteModelError>) => {
    throw new RemoteModelError(fault, `${words} (HTTP ${status})`, { status });
  };
  if (status === 401 || status === 403) {
    say("unauthorized", `The server that computes the model refuses our key. Set or renew ${settings}.`);
  }
  if (status === 404 || status === 405) {
    say("model-missing", "The server has no such model at this address. Check the address and names in the manifest.");
  }
  if (status === 408 || status === 504) {
    say("timeout", "The server gave up waiting for its model. Ask again, for fewer prompts at once.");
  }
  if (status === 413) say("too-large", "The server takes no request of this size. Crop or resample the image.");
  if (status === 429 || status === 503) {
    say("busy", "The server has more to do than it takes. Ask again later, or give it more instances.");
  }
  if (status === 424 || status >= 500) {
    say("model-failed", "The model failed on the server. Look at the server's log, then ask again.");
  }
  say("wrong-protocol", "The server does not take the request. Check that the address in the manifest is the model's.");
}
