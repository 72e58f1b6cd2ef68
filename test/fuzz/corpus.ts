import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeNifti } from "#converters/nifti/index.ts";
import { axial, ctElements, ctSlice } from "../fixtures/ct-slices.ts";
import { element, part10, rawElement } from "../fixtures/dicom-file.ts";
import { encodeRle } from "../fixtures/encode-rle.ts";
import { compressedEnhancedCt, enhancedCt } from "../fixtures/enhanced-ct.ts";
import { openEncoder } from "../fixtures/image-encoders.ts";
import { dataPath, hasSharedData } from "../fixtures/shared-data.ts";
import { NM, stackedImage, US } from "../fixtures/stacked-images.ts";
import { randomOf } from "./random.ts";

/** A file to be damaged, and what it is read with. */
export interface Specimen {
  readonly kind: "series" | "seg" | "structures" | "nifti";
  /** Where it comes from, relative to the data's folder; for people. */
  readonly name: string;
  readonly read: () => Uint8Array;
  /** Others of its series, or the other of a pair, which stay whole. */
  readonly siblings: readonly (() => Uint8Array)[];
}

/** Larger files are as good to damage, and take longer. */
const MAX_BYTES = 700_000;
const SIBLINGS = 3;

const SERIES = [
  "ct_abdomen_crlm1004/dicom",
  "ct_abdomen_j2k_totalseg/dicom_with_uids",
  "sts002_ct_pet_mr_rtstruct/CT/dicom/image",
  "sts002_ct_pet_mr_rtstruct/PET/dicom/image",
  "sts002_ct_pet_mr_rtstruct/MR_T1/dicom/image",
  "mr_t1_sag_decubitus/dicom",
  "enhanced_multiframe/ect",
  "enhanced_multiframe/philips_mr_8frames",
  "enhanced_multiframe/hyperfine_mr_8frames",
  "four_d/ge_dti",
  "four_d/mr_dynamic_3z_3t",
  "four_d/siemens_mosaic_fmri",
  "transfer_syntaxes_mr_dicom2nifti/compressed/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_j2k/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_jpeg/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_jpegls/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_rle/001",
  "transfer_syntaxes_mr_dicom2nifti/anatomical/001_implicit",
];
const ALONE = ["transfer_syntaxes_mr_dcm_qa_ts/In"];
const SEGS = [
  "seg_producers/dcmqi",
  "seg_producers/highdicom",
  "seg_producers/pydicom_data",
  "seg_producers/slicer_qiicr",
];
const STRUCTURES = ["CT", "PET", "MR_T1"].map((name) => `sts002_ct_pet_mr_rtstruct/${name}/dicom/mask`);
const NIFTIS = [
  "nifti_variants",
  "nifti_ct_mr_totalseg",
  "nifti_hippocampus_msd",
  "sts002_ct_pet_mr_rtstruct/PET/nifti",
];

/** Real files where the shared data is there, and always some that are made here. */
export async function corpus(): Promise<readonly Specimen[]> {
  return [...(await made()), ...(hasSharedData ? real() : [])];
}

function real(): readonly Specimen[] {
  const reader = (path: string) => () => new Uint8Array(readFileSync(dataPath(path)));
  const specimens = (kind: Specimen["kind"], folders: readonly string[], withSiblings: boolean) =>
    folders.flatMap((folder) => {
      const files = filesBelow(folder, withSiblings);
      return files.map((name, n) => ({
        kind,
        name,
        read: reader(name),
        siblings:
          name.endsWith(".hdr") && existsSync(dataPath(name.replace(/hdr$/, "img")))
            ? [reader(name.replace(/hdr$/, "img"))]
            : withSiblings
              ? Array.from({ length: Math.min(SIBLINGS, files.length - 1) }, (_, s) =>
                  reader(files[(n + s + 1) % files.length]!),
                )
              : [],
      }));
    });
  return [
    ...specimens("series", SERIES, true),
    ...specimens("series", ALONE, false),
    ...specimens("seg", SEGS, false),
    ...specimens("structures", STRUCTURES, false),
    ...specimens("nifti", NIFTIS, false),
  ];
}

/** By name, so that a seed means the same files everywhere; of a series, the first. */
function filesBelow(folder: string, flat: boolean): readonly string[] {
  const names = readdirSync(dataPath(folder), { recursive: !flat, withFileTypes: true })
    .filter((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).size <= MAX_BYTES)
    .map((entry) => join(entry.parentPath, entry.name).slice(dataPath().length + 1))
    .sort();
  return flat ? names.slice(0, 1 + SIBLINGS) : names;
}

function lookedUp(k: number): Uint8Array {
  const table = [
    rawElement(0x00283002, "US", [8, 100, 16]),
    element("ModalityLUTType", "US"),
    element("LUTData", new Uint8Array(16)),
  ];
  return ctSlice(k, axial, {
    RescaleSlope: undefined,
    RescaleIntercept: undefined,
    PixelPaddingValue: 100,
    PixelPaddingRangeLimit: 103,
    ModalityLUTSequence: [table],
  });
}

/** What the real files lack, in the smallest form. */
async function made(): Promise<readonly Specimen[]> {
  const frames = [0, 1, 2, 3].map((k) => ({ k }));
  const random = randomOf(1, 1);
  const rle = frames.map(() =>
    encodeRle(
      Uint8Array.from({ length: 40 }, () => random.below(4)),
      2,
    ),
  );
  const encode = await openEncoder("htj2k");
  const htj2k = frames.map(({ k }) => {
    const words = Uint16Array.from({ length: 20 }, (_, n) => 100 * k + n);
    return encode({ width: 5, height: 4, bitsPerSample: 16, signed: false, samples: new Uint8Array(words.buffer) });
  });
  const slices = frames.map(
    ({ k }) =>
      () =>
        ctSlice(k),
  );
  const volume = {
    geometry: {
      size: [6, 5, 4] as const,
      ijkToLps: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] as const,
      frameOfReferenceUid: "2.25.3",
    },
    voxels: Int16Array.from({ length: 120 }, (_, n) => n),
    unit: "HU" as const,
    modality: "CT",
    sources: [],
  };
  return [
    { kind: "series", name: "a slice", read: slices[0]!, siblings: slices.slice(1) },
    { kind: "series", name: "an enhanced image", read: () => enhancedCt(frames), siblings: [] },
    {
      kind: "series",
      name: "an enhanced image in RLE",
      read: () => compressedEnhancedCt(frames, "1.2.840.10008.1.2.5", rle),
      siblings: [],
    },
    {
      kind: "series",
      name: "an enhanced image in HTJ2K",
      read: () => compressedEnhancedCt(frames, "1.2.840.10008.1.2.4.201", htj2k),
      siblings: [],
    },
    ...["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"].map((syntax) => ({
      kind: "series" as const,
      name: `a slice in ${syntax}`,
      read: () => part10(ctElements(0), syntax, true),
      siblings: slices.slice(1),
    })),
    {
      kind: "series",
      name: "a slice with a lookup table and padding",
      read: () => lookedUp(0),
      siblings: [1, 2, 3].map((k) => () => lookedUp(k)),
    },
    { kind: "series", name: "nuclear medicine", read: () => stackedImage([1, 2, 3, 4], NM), siblings: [] },
    {
      kind: "series",
      name: "an ultrasound sweep",
      read: () => stackedImage([1, 2, 3, 4], { ...US, SpacingBetweenSlices: "0.5" }),
      siblings: [],
    },
    { kind: "nifti", name: "a NIfTI file", read: () => writeNifti(volume), siblings: [] },
  ];
}
