import { join } from "node:path";
import { type Orthanc, startOrthanc } from "#server/orthanc/index.ts";
import type { Config } from "../config.ts";

const script = join(import.meta.dirname, "../../orthanc/parse3d.lua");

export interface DemoArchive extends AsyncDisposable {
  readonly dicomwebUrl: string;
  /** Of its own API, where we started it. */
  readonly orthancUrl?: string;
  /** Orthanc's own pages, where we started it. */
  readonly explorerUrl?: string;
  readonly exited?: Promise<void>;
}

/** The archive that PARSE3D_DICOMWEB_URL names, left alone afterwards; otherwise an Orthanc of our own, with its own folder and port. */
export async function openDemoArchive(
  config: Config,
  {
    named,
    tells,
    signal,
  }: {
    readonly named: boolean;
    /** The server that an Orthanc of our own tells of series that are complete, as orthanc/parse3d.lua does. */
    readonly tells?: { readonly url: string; readonly token?: string };
    readonly signal: AbortSignal;
  },
): Promise<DemoArchive> {
  if (named) return { dicomwebUrl: config.pacs.url, async [Symbol.asyncDispose]() {} };
  const orthanc: Orthanc = await startOrthanc({
    storageFolder: join(config.dataFolder, "demo", "orthanc"),
    ...(tells && {
      settings: { LuaScripts: [script], Parse3D: { Url: tells.url, Token: tells.token ?? "" } },
    }),
    signal,
  });
  return {
    dicomwebUrl: orthanc.dicomwebUrl,
    orthancUrl: orthanc.baseUrl,
    explorerUrl: `${orthanc.baseUrl}/app/explorer.html`,
    exited: orthanc.exited,
    [Symbol.asyncDispose]: () => orthanc[Symbol.asyncDispose](),
  };
}
