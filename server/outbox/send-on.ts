import { z } from "zod";
import { Destination } from "#server/contract/index.ts";
import type { Database } from "#server/database/index.ts";
import type { Dicomweb } from "#server/dicomweb/index.ts";
import { InvalidRequestError, PacsUnavailableError } from "#server/domain/index.ts";
import type { Logger } from "../logger.ts";
import { noteInResult } from "./outbox-table.ts";
import { type OutboxOptions, startOutbox } from "./start-outbox.ts";

export interface DestinationParts {
  /** Whose the results are. */
  readonly archive: Dicomweb["archive"];
  /** Other archives, by their names in the configuration. */
  readonly dicomweb: ReadonlyMap<string, Pick<Dicomweb, "sink">>;
  /** Orthanc's own REST API, which sends to the modalities and peers that it knows. */
  readonly orthanc?: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
}

const Content = z.object({
  destination: Destination,
  instance: z.object({ sopInstanceUid: z.string(), seriesInstanceUid: z.string(), studyInstanceUid: z.string() }),
});
const Found = z.array(z.object({ ID: z.string(), Type: z.string() }));
const Sent = z.object({ FailedInstancesCount: z.int().default(0) });
const Names = z.array(z.string());

/** Sends results on to where their rules say, until disposed; how that ended is noted in the job's result. */
export function sendOn({
  parts,
  ...options
}: { readonly parts: DestinationParts; readonly db: Database; readonly logger: Logger } & Pick<
  OutboxOptions,
  "tries" | "firstDelayMs" | "timeoutMs" | "pollMs"
>): AsyncDisposable {
  return startOutbox({
    timeoutMs: 300_000,
    ...options,
    kind: "destination",
    deliver: ({ content }, { signal }) => {
      const { destination, instance } = Content.parse(content);
      if ("dicomweb" in destination) return store(parts, destination.dicomweb, instance, signal);
      return sendByOrthanc(parts, destination, instance.sopInstanceUid, signal);
    },
    ended: async (sql, { jobId, content, tries }, reason) => {
      const { destination } = Content.parse(content);
      const where = describe(destination);
      await noteInResult(
        sql,
        jobId,
        reason === undefined ? `Sent to ${where}.` : `Not sent to ${where}, after ${tries} tries: ${reason}`,
      );
    },
  });
}

/** @throws InvalidRequestError where results cannot be sent there, PacsUnavailableError where Orthanc does not say */
export async function checkDestination(
  { dicomweb, orthanc }: Pick<DestinationParts, "dicomweb" | "orthanc">,
  destination: Destination,
): Promise<void> {
  if ("dicomweb" in destination) {
    refuseUnknown(destination.dicomweb, [...dicomweb.keys()], "PARSE3D_DESTINATIONS names");
    return;
  }
  const [list, name] = orthancPath(destination);
  const response = await askOrthanc(orthanc, `/${list}`, {}, AbortSignal.timeout(30_000));
  refuseUnknown(name, Names.parse(await response.json()), `Orthanc's ${list} are`);
}

function refuseUnknown(name: string, known: readonly string[], where: string): void {
  if (known.includes(name)) return;
  throw new InvalidRequestError(`There is no destination ${name}: ${where} ${known.join(", ") || "none"}.`);
}

async function store(
  { archive, dicomweb }: DestinationParts,
  name: string,
  instance: z.infer<typeof Content>["instance"],
  signal: AbortSignal,
): Promise<void> {
  const destination = dicomweb.get(name);
  if (!destination) throw new InvalidRequestError(`PARSE3D_DESTINATIONS names no ${name} any more.`);
  const part10 = await archive.fetchInstance(instance, { signal });
  await destination.sink.store(part10, { signal });
}

async function sendByOrthanc(
  { orthanc }: DestinationParts,
  destination: Exclude<Destination, { dicomweb: string }>,
  sopInstanceUid: string,
  signal: AbortSignal,
): Promise<void> {
  const lookup = await askOrthanc(orthanc, "/tools/lookup", { method: "POST", body: sopInstanceUid }, signal);
  const found = Found.parse(await lookup.json()).find(({ Type }) => Type === "Instance");
  if (!found) throw new PacsUnavailableError("Orthanc does not hold the result any more.");
  const [list, name] = orthancPath(destination);
  const body = JSON.stringify({ Resources: [found.ID], Synchronous: true });
  const sent = await askOrthanc(
    orthanc,
    `/${list}/${encodeURIComponent(name)}/store`,
    { method: "POST", body },
    signal,
  );
  if (Sent.parse(await sent.json()).FailedInstancesCount > 0) {
    throw new PacsUnavailableError("The receiver did not take it: see Orthanc's log.");
  }
}

async function askOrthanc(
  orthanc: DestinationParts["orthanc"],
  path: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Response> {
  if (!orthanc) throw new InvalidRequestError("Only Orthanc sends to modalities and peers: set PARSE3D_ORTHANC_URL.");
  let response: Response;
  try {
    response = await fetch(`${orthanc.url}${path}`, { ...init, headers: orthanc.headers, redirect: "error", signal });
  } catch (cause) {
    throw new PacsUnavailableError(
      "Orthanc cannot be reached, or gives no answer: start it, or check PARSE3D_ORTHANC_URL.",
      { cause },
    );
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status } = response;
  throw new PacsUnavailableError(
    `Orthanc answers ${status}${path.endsWith("/store") ? " to sending" : ""}: see its log.`,
    {
      status,
    },
  );
}

function orthancPath(
  destination: Exclude<Destination, { dicomweb: string }>,
): readonly ["modalities" | "peers", string] {
  return "modality" in destination ? ["modalities", destination.modality] : ["peers", destination.peer];
}

function describe(destination: Destination): string {
  const [[kind, name] = ["", ""]] = Object.entries(destination);
  return `${kind === "dicomweb" ? "the archive" : `the ${kind}`} ${name}`;
}
