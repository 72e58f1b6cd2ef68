import { access, constants, statfs } from "node:fs/promises";
import { DomainError } from "#converters/errors.ts";
import type { NiftiFolder } from "#server/domain/index.ts";
import { StorageFullError } from "#server/jobs/index.ts";
import type { NiftiConfig } from "./config.ts";
import { type HashedFolder, openHashedFolder, writeLabelMap } from "./hashed-folder.ts";
import { codeOf } from "./make-folder.ts";

/** The folder is not there, or does not take files. */
class NiftiFolderError extends DomainError {
  override readonly name = "NiftiFolderError";
  readonly code = "store-rejected";
  /** A share that is away comes back. */
  override readonly retryable = true;
}

/** Others than the server's user read it: those of its group. */
const MODES = { folder: 0o750, file: 0o640 } as const;

/** PARSE3D_NIFTI_FOLDER. Nothing is made or opened before it is used. */
export function openNiftiFolder({ folder, minFreeBytes }: NiftiConfig): NiftiFolder {
  let opening: Promise<HashedFolder> | undefined;
  const open = () => {
    // A share that was away is opened anew.
    opening ??= openHashedFolder(folder, MODES).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    check: () =>
      explaining(async () => {
        await open();
        await access(folder, constants.W_OK);
        const { bavail, bsize } = await statfs(folder);
        if (bavail * bsize < minFreeBytes) throw new StorageFullError(FULL);
      }),
    write: ({ patientId, studyInstanceUid, seriesInstanceUid, key, subfolder, nifti, labels }) =>
      explaining(async () => {
        const hashed = await open();
        return writeLabelMap(hashed, {
          // As a cohort names them.
          subject: hashed.nameOf(`patient ${patientId}`),
          session: hashed.nameOf(studyInstanceUid),
          acquisition: hashed.nameOf(seriesInstanceUid),
          description: key.slice(0, 12),
          ...(subfolder !== undefined && { subfolder }),
          nifti,
          labels,
        });
      }),
  };
}

const FULL =
  "The disk of PARSE3D_NIFTI_FOLDER is full, or has less free than PARSE3D_MIN_FREE_DISK_BYTES: free some space there, and retry the job.";

async function explaining<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    const code = codeOf(cause);
    if (code === "ENOSPC" || code === "EDQUOT") throw new StorageFullError(FULL, { cause });
    throw new NiftiFolderError(
      `Masks cannot be written to PARSE3D_NIFTI_FOLDER (${code}): see that it is there and that the server's user may write to it, and retry the job.`,
      { cause },
    );
  }
}
