import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ModelUnavailableError } from "../../domain/errors.ts";

/** Where the key of a remote model comes from. A file is read anew for every request: its owner may replace it meanwhile. */
export const RemoteKey = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("value"), value: z.string() }),
  z.object({ kind: z.literal("file"), file: z.string() }),
]);
export type RemoteKey = z.infer<typeof RemoteKey>;

/** @throws ModelUnavailableError where the file cannot be read, or holds no key */
export async function authorization(key: RemoteKey): Promise<Readonly<Record<string, string>>> {
  if (key.kind === "none") return {};
  const value = key.kind === "value" ? key.value : await readKey(key.file);
  return { Authorization: `Bearer ${value}` };
}

async function readKey(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new ModelUnavailableError(
      `The file with the key of the remote model cannot be read (${cause.code}). Check its place and permissions.`,
      { cause, retryable: false },
    );
  });
  const value = text.trim();
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new ModelUnavailableError("The file with the key of the remote model holds no key: one line is needed.", {
    retryable: false,
  });
}
