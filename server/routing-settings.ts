import { z } from "zod";
import type { PacsCredentials, RoutingConfig } from "./config.ts";

const webAddress = z
  .url({ protocol: /^https?$/, error: "is not an http or https address" })
  .refine((text) => URL.parse(text)?.username === "", "holds a user: set it apart from the address");
const words = z.string().transform((text) => text.split(",").flatMap((word) => word.trim() || []));
const seconds = (max: number) =>
  z.coerce
    .number<string>()
    .gt(0)
    .max(max)
    .transform((value) => Math.ceil(value * 1000));

const Destination = z.strictObject({
  url: webAddress,
  token: z.string().min(1).optional(),
  user: z.string().min(1).optional(),
  password: z.string().optional(),
});
const Destinations = z.record(
  z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "is not a name: letters, digits, hyphens and underscores"),
  Destination,
);

/** Of routing, of where results are sent on to, and of who is told. */
export const routingSettings = {
  PARSE3D_ORTHANC_URL: webAddress.optional(),
  PARSE3D_ROUTING_SOURCE: z.enum(["auto", "orthanc", "qido"]).default("auto"),
  PARSE3D_ROUTING_WINDOW_DAYS: z.coerce.number<string>().int().min(1).max(365).default(3),
  PARSE3D_ROUTING_STABLE_SECONDS: seconds(86_400).prefault("60"),
  PARSE3D_ROUTING_SUPERSEDED: z.enum(["keep", "remove"]).default("keep"),
  PARSE3D_ROUTING_POLL_SECONDS: seconds(3600).prefault("10"),
  PARSE3D_ROUTING_MODALITIES: words
    .pipe(z.array(z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/, "needs DICOM modalities, like CT,MR")))
    .default(["CT", "MR", "PT"]),
  PARSE3D_DESTINATIONS: z.string().transform(parseJson).pipe(Destinations).optional(),
  PARSE3D_NOTIFY_URL: webAddress.optional(),
  PARSE3D_NOTIFY_SECRET: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, "needs at least 16 printable ASCII characters without spaces")
    .optional(),
  PARSE3D_NOTIFY_JOBS: z.enum(["routing", "all"]).default("routing"),
  PARSE3D_NOTIFY_UIDS: z.enum(["true", "false"]).default("false"),
};

/** Other archives that results may be sent on to, by name. */
export type DestinationsConfig = Readonly<
  Record<string, { readonly url: string; readonly credentials: PacsCredentials }>
>;

/** Who is told that jobs have ended. */
export type NoticesConfig =
  | { readonly kind: "none" }
  | {
      readonly kind: "webhook";
      readonly url: string;
      readonly secret: string;
      readonly jobs: "routing" | "all";
      readonly uids: boolean;
    };

type Env = z.output<z.ZodObject<typeof routingSettings>>;

/** @param hasDatabase whether jobs outlive the server */
export function readRouting(e: Env, hasDatabase: boolean, problems: string[]): RoutingConfig {
  const { PARSE3D_ORTHANC_URL, PARSE3D_ROUTING_SOURCE: source, PARSE3D_ROUTING_SUPERSEDED: superseded } = e;
  const url = PARSE3D_ORTHANC_URL?.replace(/\/+$/, "");
  if (source === "orthanc" && !url) problems.push("PARSE3D_ROUTING_SOURCE: orthanc needs PARSE3D_ORTHANC_URL");
  if (source !== "qido" && !url) return { kind: "off" };
  if (!hasDatabase) {
    const name = source === "qido" ? "PARSE3D_ROUTING_SOURCE" : "PARSE3D_ORTHANC_URL";
    problems.push(`${name}: routing keeps its place in a database; set PARSE3D_JOBS=durable, or PARSE3D_DATABASE_URL`);
  }
  const common = { pollMs: e.PARSE3D_ROUTING_POLL_SECONDS, modalities: e.PARSE3D_ROUTING_MODALITIES };
  if (source !== "qido") return { kind: "orthanc", url: url ?? "", superseded, ...common };
  if (superseded === "remove" && !url) {
    problems.push("PARSE3D_ROUTING_SUPERSEDED: only Orthanc removes; set PARSE3D_ORTHANC_URL, or leave it out");
  }
  return {
    kind: "qido",
    ...(url !== undefined && { url }),
    superseded,
    windowDays: e.PARSE3D_ROUTING_WINDOW_DAYS,
    stableMs: e.PARSE3D_ROUTING_STABLE_SECONDS,
    ...common,
  };
}

export function readDestinations({ PARSE3D_DESTINATIONS = {} }: Env, problems: string[]): DestinationsConfig {
  return Object.fromEntries(
    Object.entries(PARSE3D_DESTINATIONS).map(([name, { url, token, user, password }]) => {
      if ((token !== undefined && user !== undefined) || (user === undefined) !== (password === undefined)) {
        problems.push(`PARSE3D_DESTINATIONS: ${name} needs a token, or a user with a password, or neither`);
      }
      const credentials: PacsCredentials =
        token !== undefined
          ? { kind: "bearer", token }
          : user !== undefined
            ? { kind: "basic", user, password: password ?? "" }
            : { kind: "none" };
      return [name, { url: url.replace(/\/+$/, ""), credentials }] as const;
    }),
  );
}

export function readNotices(e: Env, hasDatabase: boolean, problems: string[]): NoticesConfig {
  const { PARSE3D_NOTIFY_URL: url, PARSE3D_NOTIFY_SECRET: secret } = e;
  if (url === undefined) return { kind: "none" };
  if (secret === undefined) problems.push("PARSE3D_NOTIFY_URL: notices are signed; set PARSE3D_NOTIFY_SECRET");
  if (!hasDatabase) {
    problems.push(
      "PARSE3D_NOTIFY_URL: what is owed is kept in a database; set PARSE3D_JOBS=durable, or PARSE3D_DATABASE_URL",
    );
  }
  return {
    kind: "webhook",
    url,
    secret: secret ?? "",
    jobs: e.PARSE3D_NOTIFY_JOBS,
    uids: e.PARSE3D_NOTIFY_UIDS === "true",
  };
}

/** What is no JSON stays text, which no object is: the problem is told without the secrets in it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
