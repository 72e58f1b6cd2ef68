import type { InstalledOpenInference } from "#models/index.ts";
import { openBundleEngine } from "../child/bundle-engine.ts";
import type { ChildEngine } from "../child/engine.ts";
import { wholeImageModel } from "../child/image-model.ts";
import type { Load } from "../protocol.ts";
import { graphShapes } from "./graph-shapes.ts";
import { openRemoteSession } from "./remote-session.ts";
import { openServer } from "./server.ts";

/**
 * A bundle whose two graphs run on a server of the Open Inference Protocol; everything around them runs here, by the code of
 * every other bundle. The bundle's golden sample is asked first: the server has to have the same network.
 * @throws RemoteModelError, ModelUnavailableError where the golden sample is answered otherwise
 */
export async function openOpenInferenceEngine(
  { folder, manifest }: InstalledOpenInference,
  load: Load,
): Promise<ChildEngine> {
  const { server: settings, bundle } = manifest;
  const server = openServer(settings, load.key ?? { kind: "none" });
  const shapes = graphShapes(bundle);
  const described = await server.describe();
  return openBundleEngine(
    { folder, manifest: bundle },
    {
      provider: { requested: load.executionProvider, actual: "remote", server: described },
      text: await openRemoteSession(server, settings.textEncoder, shapes.textEncoder),
      image: wholeImageModel(await openRemoteSession(server, settings.imageModel, shapes.imageModel), bundle),
      sliceBatch: settings.slicesPerRequest,
      parallel: settings.parallel,
    },
  );
}
