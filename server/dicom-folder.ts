import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { InstanceSource } from "#converters/dicom/index.ts";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import { invalidRequest } from "./files.ts";

/**
 * Every DICOM file (by its "DICM" mark) in a folder and the folders below, in the order of their names. Their bytes are
 * read when they are asked for, also after all files were seen: a series need not fit into memory.
 * @throws InvalidRequestError where a file is called one and is none: a slice that was cut short is not left out in silence;
 * UnsupportedSeriesError "empty-series" where there is none at all
 */
export async function* dicomFilesIn(folder: string): AsyncGenerator<InstanceSource> {
  const entries = await refusing(() => readdirSync(folder, { withFileTypes: true, recursive: true }), "The folder");
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  let found = 0;
  for (const path of paths.sort()) {
    const file = await refusing(() => openFile(path));
    try {
      if (await refusing(() => isPart10(file))) {
        found++;
        yield instanceSource(path, file);
      } else if (/\.(dcm|dicom|ima)$/i.test(path))
        throw await invalidRequest(`${path} cannot be read`, DAMAGED, REPAIR);
    } finally {
      file.close();
    }
  }
  if (found === 0) throw noneFound(paths);
}

/** Names may be patients': only usual endings are told. */
function noneFound(paths: readonly string[]): UnsupportedSeriesError {
  const endings = paths.map((path) => /\.(nii\.gz|[a-z0-9]{1,4})$/i.exec(path)?.[0].toLowerCase() ?? "no ending");
  const counted = [...Map.groupBy(endings, (ending) => ending)]
    .sort(([one, a], [other, b]) => b.length - a.length || (one < other ? -1 : 1))
    .slice(0, 4);
  const what = counted.map(([ending, { length }]) => `${length} with ${ending}`).join(", ");
  const files = `${paths.length} ${paths.length === 1 ? "file" : "files"}`;
  const held = paths.length === 0 ? "is empty" : `holds ${files} (${what}), and none is DICOM ("DICM" at byte 128)`;
  const nifti = endings.some((ending) => /^\.nii(\.gz)?$/.test(ending))
    ? " A NIfTI file is given by its own name."
    : "";
  const advice = `Give the folder that holds the files of one DICOM series.${nifti}`;
  return new UnsupportedSeriesError("empty-series", `The folder ${held}. ${advice}`, { files: paths.length });
}

/** Files are read in this thread: out of the system's cache that takes less than asking another thread for it. */
interface OpenFile {
  readonly size: number;
  readonly changedMs: number;
  readonly isOpen: boolean;
  /** Fills `into`; false where the file ends before. */
  read(into: Uint8Array, start: number): boolean;
  close(): void;
}

function openFile(path: string): OpenFile {
  const descriptor = openSync(path, "r");
  const { size, mtimeMs: changedMs } = fstatSync(descriptor);
  let isOpen = true;
  return {
    size,
    changedMs,
    get isOpen() {
      return isOpen;
    },
    read(into, start) {
      for (let filled = 0; filled < into.length; ) {
        const bytes = readSync(descriptor, into, filled, into.length - filled, start + filled);
        if (bytes === 0) return false;
        filled += bytes;
      }
      return true;
    },
    close() {
      isOpen = false;
      closeSync(descriptor);
    },
  };
}

/** @param first the file as it was opened first; once that is closed it is opened again for each reading. */
function instanceSource(path: string, first: OpenFile): InstanceSource {
  return {
    length: first.size,
    read: (into, start) =>
      refusing(() => {
        const file = first.isOpen ? first : openFile(path);
        try {
          const same = file.size === first.size && file.changedMs === first.changedMs;
          if (!same || !file.read(into, start)) throw Object.assign(new Error(), { code: "it changed meanwhile" });
        } finally {
          if (file !== first) file.close();
        }
      }),
  };
}

const DAMAGED = Object.assign(new Error(), { code: "by its name it is a DICOM file, and it has none of its marks" });
const REPAIR = "It may have been cut short: get it again, or take it out of the folder.";

const MARK_AT = 128;
const mark = new Uint8Array(4);

function isPart10(file: OpenFile): boolean {
  return file.read(mark, MARK_AT) && String.fromCharCode(...mark) === "DICM";
}

async function refusing<T>(read: () => T, what = "The file"): Promise<T> {
  try {
    return read();
  } catch (cause) {
    throw await invalidRequest(`${what} cannot be read`, cause, "Check the path.");
  }
}
