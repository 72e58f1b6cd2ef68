import { join } from "node:path";
import { type Orthanc, startOrthanc } from "#server/orthanc/index.ts";
import type { Config } from "../config.ts";

export interface DemoArchive extends AsyncDisposable {
  readonly dicomwebUrl: string;
  /** Orthanc's own pages, where we started it. */
  readonly explorerUrl?: string;
  readonly exited?: Promise<void>;
}

/** The archive that PARSE3D_DICOMWEB_URL names, left alone afterwards; otherwise an Orthanc of our own, with its own folder and port. */
export async function openDemoArchive(
  config: Config,
  { named, signal }: { readonly named: boolean; readonly signal: AbortSignal },
): Promise<DemoArchive> {
  if (named) return { dicomwebUrl: config.pacs.url, async [Symbol.asyncDispose]() {} };
  const orthanc: Orthanc = await startOrthanc({ storageFolder: join(config.dataFolder, "demo", "orthanc"), signal });
  return {
    dicomwebUrl: orthanc.dicomwebUrl,
    explorerUrl: `${orthanc.baseUrl}/app/explorer.html`,
    exited: orthanc.exited,
    [Symbol.asyncDispose]: () => orthanc[Symbol.asyncDispose](),
  };
}
