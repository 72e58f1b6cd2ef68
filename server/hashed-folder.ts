import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf, makeFolder } from "./make-folder.ts";

/** Files whose names are keyed hashes: without the folder's own key nobody finds a patient by trying. */
export interface HashedFolder {
  /** A short name of an identifier. */
  nameOf(identifier: string): string;
  /** Whole, or not at all: on the disk when it has returned. @param path within the folder */
  write(path: string, content: Uint8Array | string): Promise<void>;
}

/** Who may read what is written. */
export interface FolderModes {
  readonly folder: number;
  readonly file: number;
}

/** The server's user alone. */
const OWN: FolderModes = { folder: 0o700, file: 0o600 };

const KEY = ".key";
/** What is being written lies here, on the same file system; nobody finds half a file at its own place. */
const PARTS = ".parts";
/** No file takes so long: whoever began it is dead. */
const ABANDONED_MS = 3_600_000;

/** Several processes may have the same folder open, on several machines. Its key is made by the first of them. */
export async function openHashedFolder(folder: string, modes: FolderModes = OWN): Promise<HashedFolder> {
  await makeFolder(folder, modes.folder);
  const parts = join(folder, PARTS);
  await makeFolder(parts, OWN.folder);
  await sweep(parts);
  const key = await keepFile(join(folder, KEY), randomBytes(32).toString("hex"));
  return {
    nameOf: (identifier) => createHmac("sha256", key).update(identifier).digest("hex").slice(0, 12),
    write: async (path, content) => {
      const target = join(folder, path);
      const part = join(parts, randomUUID());
      await makeFolder(dirname(target), modes.folder);
      try {
        await writeFile(part, content, { mode: modes.file, flush: true });
        await rename(part, target);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
  };
}

/** Removes what processes that were killed have left. */
async function sweep(parts: string): Promise<void> {
  for (const name of await readdir(parts)) {
    const path = join(parts, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
  }
}

/** A share that knows no links, as over SMB: there the file is made where there is none, which is as good but for a power cut. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** What the file holds; where there is none, this, for good. */
export async function keepFile(path: string, content: string): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, content, { mode: 0o600, flush: true });
    // A link appears whole or not at all, and never over another one.
    await link(draft, path).catch(async (error: unknown) => {
      const code = codeOf(error);
      if (code === "EEXIST") return;
      if (!NO_LINKS.has(code)) throw error;
      await writeFile(path, content, { flag: "wx", mode: 0o600, flush: true }).catch((taken: unknown) => {
        if (codeOf(taken) !== "EEXIST") throw taken;
      });
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, "utf8");
}

/** A label map and its table, named as BIDS derivatives are. */
export interface LabelMapFiles {
  /** Hashed names of the patient, the study and the series. */
  readonly subject: string;
  readonly session: string;
  readonly acquisition: string;
  /** Letters and digits, where there are several of one series. */
  readonly description?: string;
  /** Within the folder. */
  readonly subfolder?: string;
  /** Gzipped; value n is segment n. */
  readonly nifti: Uint8Array;
  readonly labels: readonly { readonly value: number; readonly name: string }[];
}

/** The table first: where the label map is, what its numbers mean is there too. @returns its path in the folder */
export async function writeLabelMap(
  { write }: Pick<HashedFolder, "write">,
  { subject, session, acquisition, description, subfolder, nifti, labels }: LabelMapFiles,
): Promise<string> {
  const ids = [`sub-${subject}`, `ses-${session}`];
  const name = [...ids, `acq-${acquisition}`, ...(description === undefined ? [] : [`desc-${description}`]), "dseg"];
  const stem = [...(subfolder === undefined ? [] : [subfolder]), ...ids, name.join("_")].join("/");
  const rows = labels.map(({ value, name: label }) => `${value}\t${label.replace(/\s+/g, " ")}\n`);
  await write(`${stem}.tsv`, `index\tname\n${rows.join("")}`);
  await write(`${stem}.nii.gz`, nifti);
  return `${stem}.nii.gz`;
}
