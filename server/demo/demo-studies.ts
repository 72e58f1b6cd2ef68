import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { encodeImageSeries } from "#converters/dicom/index.ts";
import type { Volume } from "#converters/geometry/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { deterministicUid } from "#server/domain/index.ts";
import { MissingSystemPackagesError } from "./errors.ts";
import { readInvesaliusProject } from "./invesalius-project.ts";
import { demoFiles } from "./system-packages.ts";

export interface DemoStudy {
  readonly name: string;
  readonly description: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly modality: "CT" | "MR";
  readonly instanceCount: number;
  /** Part-10 files, made one at a time; can be gone through again. */
  readonly instances: Iterable<Uint8Array>;
}

interface Origin {
  readonly name: string;
  readonly description: string;
  readonly modality: "CT" | "MR";
  readonly image: keyof typeof demoFiles;
  readonly debianPackage: string;
  readonly read: (bytes: Uint8Array) => Volume;
}

const origins: readonly Origin[] = [
  {
    name: "CT head",
    description: "Head without contrast (InVesalius example)",
    modality: "CT",
    image: "ctHead",
    debianPackage: "invesalius-examples",
    read: readInvesaliusProject,
  },
  {
    name: "MR head",
    description: "T1 head (MRIcron template ch2)",
    modality: "MR",
    image: "mrHead",
    debianPackage: "mricron-data",
    read: (bytes) => readNifti(bytes, { modality: "MR" }),
  },
];

/** Says in the UIDs how the series are made: counted up when the same images would come out as other instances. */
const edition = 1;
/** The day that all demo studies were taken, so that their files are the same wherever and whenever they are made. */
const studyDay = new Date(Date.UTC(2020, 0, 1, 12));

/**
 * The demo's studies: a CT and an MR of a head, real images of Debian packages as DICOM series. The same images give
 * the same UIDs and bytes.
 * @throws MissingSystemPackagesError where a package is not installed
 */
export function demoStudies(
  files: Readonly<Record<keyof typeof demoFiles, string>> = demoFiles,
): Promise<readonly DemoStudy[]> {
  return Promise.all(origins.map((origin) => openStudy(origin, files[origin.image])));
}

async function openStudy(origin: Origin, file: string): Promise<DemoStudy> {
  const { name, description, modality } = origin;
  const bytes = await readImage(origin, file);
  const volume = origin.read(bytes);
  const key = createHash("sha256").update(`demo study, edition ${edition}\n`).update(bytes).digest("hex");
  const study = deterministicUid(key, "study");
  const series = deterministicUid(key, "series");
  const frameOfReference = deterministicUid(key, "frame of reference");
  return {
    name,
    description,
    studyInstanceUid: study,
    seriesInstanceUid: series,
    modality,
    instanceCount: volume.geometry.size[2],
    instances: {
      [Symbol.iterator]: () =>
        encodeImageSeries(volume, {
          patient: { id: `PARSE3D-DEMO-${modality}`, name: `Demo^${modality} head` },
          modality,
          studyDescription: `Parse3D demo: ${name}`,
          seriesDescription: description,
          studyId: "DEMO",
          uids: { study, series, frameOfReference, instance: (k) => deterministicUid(key, `instance ${k}`) },
          at: studyDay,
        }),
    },
  };
}

async function readImage({ name, debianPackage }: Origin, file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new MissingSystemPackagesError(
      `The demo's ${name} is not there (${file}). Install it with: sudo apt-get install --no-install-recommends ${debianPackage}`,
      [debianPackage],
      { cause },
    );
  }
}
