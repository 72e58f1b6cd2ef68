import { z } from "zod";

/** A file of a bundle: always directly in its folder. */
export const FileRef = z
  .object({
    name: z
      .string()
      .max(128)
      .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, "a plain file name inside the bundle's folder, without any path"),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits"),
    bytes: z.int().nonnegative(),
  })
  .readonly();

/** A file of a bundle, with what proves that it is the right one. */
export type FileRef = z.infer<typeof FileRef>;

export const Code = z
  .object({
    value: z.string().min(1).max(64),
    scheme: z.string().min(1).max(16),
    meaning: z.string().min(1).max(64),
  })
  .readonly();

export const Name = z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "lower-case words joined by hyphens");

/**
 * How well a model agrees with a reference: Dice by target. Two models that know the same targets are told apart by the
 * references that both were measured against, and that neither saw in training.
 */
export const Figures = z
  .object({
    reference: z.string().min(1).max(200),
    /** The network was trained on this very image, so that the figure says only that it learnt. */
    seenInTraining: z.boolean().exactOptional(),
    dice: z.record(z.string(), z.number().min(0).max(1)).readonly(),
  })
  .readonly();
export type Figures = z.infer<typeof Figures>;

/** What every manifest says of its model, whatever runs it. */
export const cardFields = {
  schemaVersion: z.literal(1),
  name: Name,
  version: z.string().regex(/^\d+\.\d+\.\d+(?:[-+][\w.-]+)?$/, "a semantic version"),
  title: z.string().min(1).max(120),
  /** Plain words, first of all whether it is a trained network. */
  description: z.string().min(1).max(2000),
  intendedUse: z.string().min(1).max(2000),
  trained: z.boolean(),
  /** Goes into a SEG as Segmentation Algorithm's family (PS3.3 C.8.20.2, CID 7162). */
  algorithmFamily: z.enum(["artificial-intelligence", "density-rules"]),
  /** DICOM's Modality values that it was made for; "EM" and "LSM" for electron and light-sheet microscopy. */
  modalities: z
    .array(z.string().regex(/^[A-Z]{2,16}$/))
    .min(1)
    .readonly(),
  /** In every segment's Algorithm Parameters, which hold 10,240 characters of all that is said there. */
  licence: z.string().min(1).max(1000),
  nonCommercial: z.boolean(),
  /** Who made it, and what must be said where results are shown or passed on. */
  attribution: z.string().exactOptional(),
  figures: z.array(Figures).readonly().exactOptional(),
} as const;

/** Canonical names are lower case: they are compared with what users type. */
export const TargetName = z
  .string()
  .min(1)
  .max(120)
  .refine((name) => name === name.trim().toLowerCase(), "lower case, without spaces around it");
