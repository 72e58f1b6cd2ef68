import { z } from "zod";
import { routingSettings } from "./routing-settings.ts";

const wholeNumber = (min: number, max: number) => z.coerce.number<string>().int().min(min).max(max);
/** Given in seconds, kept in whole milliseconds. */
const seconds = (max: number) =>
  z.coerce
    .number<string>()
    .gt(0)
    .max(max)
    .transform((value) => Math.ceil(value * 1000));
const webAddress = z.url({ protocol: /^https?$/, error: "is not an http or https address" });
const words = z.string().transform((text) => text.split(",").flatMap((word) => word.trim() || []));
const token = z.string().regex(/^[\x21-\x7e]{16,}$/, "needs at least 16 printable ASCII characters without spaces");
const remoteKey = z.string().regex(/^[\x21-\x7e]+$/, "is no key: printable ASCII characters without spaces");
const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    "is not an origin, like https://viewer.example",
  );

/** The settings; docs/configuration.md tells what each means. */
export const Settings = z.object({
  PARSE3D_HOST: z.string().default("127.0.0.1"),
  PARSE3D_PORT: wholeNumber(0, 65535).default(8117),
  PARSE3D_TOKEN: token.optional(),
  PARSE3D_TOKENS: words.pipe(z.array(token)).default([]),
  PARSE3D_CORS_ORIGINS: z
    .literal("none")
    .transform((): string[] => [])
    .or(words.pipe(z.array(origin)))
    .optional(),
  PARSE3D_MAX_UPLOAD_BYTES: wholeNumber(1, Number.MAX_SAFE_INTEGER).default(2 * 1024 ** 3),
  PARSE3D_REQUEST_TIMEOUT_SECONDS: seconds(86_400).prefault("1800"),
  PARSE3D_HEARTBEAT_SECONDS: seconds(600).prefault("15"),
  PARSE3D_SHUTDOWN_SECONDS: seconds(600).prefault("10"),
  PARSE3D_DICOMWEB_URL: webAddress.default("http://127.0.0.1:8042/dicom-web"),
  PARSE3D_DICOMWEB_TOKEN: z.string().min(1).optional(),
  PARSE3D_DICOMWEB_USER: z.string().min(1).optional(),
  PARSE3D_DICOMWEB_PASSWORD: z.string().optional(),
  PARSE3D_DICOMWEB_CONNECT_TIMEOUT_SECONDS: seconds(3600).prefault("5"),
  PARSE3D_DICOMWEB_ANSWER_TIMEOUT_SECONDS: seconds(3600).prefault("60"),
  PARSE3D_DICOMWEB_IDLE_TIMEOUT_SECONDS: seconds(3600).prefault("30"),
  PARSE3D_JOB_CONCURRENCY: wholeNumber(1, 64).optional(),
  PARSE3D_JOB_BACKLOG: wholeNumber(0, 100_000).default(100),
  PARSE3D_JOB_HISTORY: wholeNumber(1, 1_000_000).optional(),
  PARSE3D_JOB_ATTEMPTS: wholeNumber(1, 100).default(5),
  PARSE3D_JOB_RETRY_SECONDS: seconds(3600).prefault("10"),
  PARSE3D_JOBS: z.enum(["memory", "durable"]).optional(),
  PARSE3D_DATABASE_URL: z
    .string()
    .refine((text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol), {
      error: "is not an address of a PostgreSQL database, like postgres://user:password@host/parse3d",
    })
    .optional(),
  PARSE3D_DATABASE_PASSWORD: z.string().min(1).optional(),
  PARSE3D_NIFTI_FOLDER: z.string().min(1).optional(),
  PARSE3D_PROBABILITY_BYTES: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(2 * 1024 ** 3),
  PARSE3D_PROBABILITY_SECONDS: seconds(2_592_000).prefault("86400"),
  PARSE3D_CACHE_BYTES: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(4 * 1024 ** 3),
  PARSE3D_CACHE_SECONDS: seconds(31_536_000).prefault("86400"),
  PARSE3D_WORKER_MODELS: words.optional(),
  PARSE3D_WORKER_SILENT_SECONDS: seconds(3600).prefault("30"),
  PARSE3D_FETCH_TIMEOUT_SECONDS: seconds(86_400).prefault("3600"),
  PARSE3D_DECODE_TIMEOUT_SECONDS: seconds(86_400).prefault("900"),
  PARSE3D_INFER_TIMEOUT_SECONDS: seconds(86_400).prefault("7200"),
  PARSE3D_ENCODE_TIMEOUT_SECONDS: seconds(86_400).prefault("900"),
  PARSE3D_STORE_TIMEOUT_SECONDS: seconds(86_400).prefault("900"),
  PARSE3D_MIN_FREE_DISK_BYTES: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(256 * 1024 ** 2),
  PARSE3D_MIN_FREE_MEMORY_BYTES: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(256 * 1024 ** 2),
  ...routingSettings,
  PARSE3D_EXECUTION_PROVIDER: z.enum(["auto", "cpu", "cuda", "tensorrt", "webgpu"]).default("auto"),
  PARSE3D_THREADS: wholeNumber(1, 1024).optional(),
  PARSE3D_GPUS: words
    .pipe(z.array(wholeNumber(0, 255)).min(1))
    .refine((numbers) => new Set(numbers).size === numbers.length, "names a GPU twice")
    .optional(),
  PARSE3D_WARM_MODELS: words.default([]),
  PARSE3D_ANTICIPATE: wholeNumber(0, 64).optional(),
  PARSE3D_MODEL_IDLE_SECONDS: seconds(2_000_000).prefault("600"),
  PARSE3D_AZURE_ML_KEY: remoteKey.optional(),
  PARSE3D_AZURE_ML_KEY_FILE: z.string().min(1).optional(),
  PARSE3D_OPEN_INFERENCE_KEY: remoteKey.optional(),
  PARSE3D_OPEN_INFERENCE_KEY_FILE: z.string().min(1).optional(),
  PARSE3D_DATA_DIR: z.string().min(1).optional(),
  PARSE3D_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  HF_TOKEN: z.string().min(1).optional(),
  HF_ENDPOINT: webAddress.default("https://huggingface.co"),
  XDG_DATA_HOME: z.string().min(1).optional(),
});

/** Those whose values are secrets: NAME_FILE names a file with the value instead, as Docker and Kubernetes mount them. */
export const secretSettings = [
  "PARSE3D_TOKEN",
  "PARSE3D_TOKENS",
  "PARSE3D_DICOMWEB_TOKEN",
  "PARSE3D_DICOMWEB_PASSWORD",
  "PARSE3D_DATABASE_URL",
  "PARSE3D_DATABASE_PASSWORD",
  "PARSE3D_DESTINATIONS",
  "PARSE3D_NOTIFY_SECRET",
  "HF_TOKEN",
] as const satisfies readonly (keyof typeof Settings.shape)[];

/** Whether a variable means something. */
export function isKnown(name: string): boolean {
  return name in Settings.shape || secretSettings.some((secret) => name === `${secret}_FILE`);
}

/** What they are after reading: defaults filled in, text made numbers. */
export type Env = z.output<typeof Settings>;
