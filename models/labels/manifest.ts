import { z } from "zod";
import { Code, cardFields, FileRef, TargetName } from "../card-fields.ts";
import { AxisCodes } from "../contract.ts";

const LabelValue = z.int().min(1).max(255);

const Vec3 = <T extends z.ZodType>(item: T) => z.tuple([item, item, item]).readonly();

const LabelClass = z
  .object({
    value: LabelValue,
    name: TargetName,
    synonyms: z.array(TargetName).readonly(),
    code: Code,
    /**
     * Which side of the body the label covers: `both` lie in one label and can be told apart by the rule of `sides`;
     * `midline` structures have no sides.
     */
    side: z.enum(["left", "right", "both", "midline"]),
  })
  .readonly();

const Composite = z
  .object({
    name: TargetName,
    synonyms: z.array(TargetName).readonly(),
    code: Code.exactOptional(),
    /** Labels whose union it is. */
    values: z.array(LabelValue).min(1).readonly(),
  })
  .readonly();

/**
 * manifest.json of a trained network with a fixed list of classes.
 *
 * The host resamples the volume onto the conformed grid (`conform`), normalises, crops, runs the graph on the whole crop,
 * and takes labels back to the volume's own grid by nearest neighbour.
 */
export const LabelsManifest = z
  .object({
    ...cardFields,
    engine: z.literal("labels"),
    /** What a volume must be, beyond its modality, and the sentence that a user reads where it is not. */
    accepts: z
      .object({
        /** Smallest extent along each axis of the volume, mm. */
        minimumExtentMm: z.number().positive(),
        /** What is labelled must hang together in a piece of at least this volume: less is not the organ. */
        minimumVolumeMl: z.number().nonnegative(),
        /** Voxels longer than this get a note with the result: the network was trained on finer ones. */
        noteAboveSpacingMm: z.number().positive(),
        refusal: z.string().min(1),
      })
      .readonly(),
    /** The grid that the network sees, centred on the volume's centre; trilinear, `outside` where the volume ends. */
    conform: z
      .object({
        /** Towards which side of the patient i, j and k of the conformed grid increase. */
        orientation: AxisCodes,
        spacingMm: Vec3(z.number().positive()),
        /** Voxels along i, j, k. */
        size: Vec3(z.int().min(8).max(512)),
        outside: z.number(),
      })
      .readonly(),
    /** After conforming: smallest and largest value of the grid become `to`. */
    normalise: z.object({ rule: z.literal("min-max"), to: z.tuple([z.number(), z.number()]).readonly() }).readonly(),
    /** After normalising: the network sees only the box of values above `above`, grown by a margin inside the grid. */
    crop: z.object({ above: z.number(), marginVoxels: z.int().nonnegative() }).readonly(),
    /** Input [1, 1, nk, nj, ni] of the crop, output [1, nk, nj, ni] of label values; 0 is background. */
    graph: z
      .object({
        input: z.object({ name: z.string().min(1), dtype: z.literal("float32") }).readonly(),
        output: z.object({ name: z.string().min(1), dtype: z.literal("uint8") }).readonly(),
      })
      .readonly(),
    classes: z.array(LabelClass).min(1).max(255).readonly(),
    composites: z.array(Composite).readonly(),
    /**
     * The label of what lies around the organ (of a head: skull, skin, fluid). It is no class; composites may hold it, and
     * whether the organ is there is judged without it.
     */
    surroundings: LabelValue.exactOptional(),
    /**
     * How left and right are told. `labels`: classes carry their side. `midsagittal`: a plane fitted to the labels
     * `planeFrom` (structures that lie alike on both sides) splits the labels whose side is `both`. `none`: they cannot be.
     */
    sides: z
      .discriminatedUnion("rule", [
        z.object({ rule: z.literal("none") }),
        z.object({ rule: z.literal("labels") }),
        z.object({ rule: z.literal("midsagittal"), planeFrom: z.array(LabelValue).min(1).readonly() }),
      ])
      .readonly(),
    opset: z.int().positive(),
    exporter: z.record(z.string(), z.string()).readonly(),
    /** `provenance`: what the network was trained on and how, for people. */
    files: z
      .object({ graph: FileRef, licence: FileRef.exactOptional(), provenance: FileRef.exactOptional() })
      .readonly(),
  })
  .readonly()
  .superRefine((manifest, context) => {
    const known = new Set(manifest.classes.map(({ value }) => value));
    if (known.size !== manifest.classes.length)
      context.addIssue({ code: "custom", path: ["classes"], message: "every label value appears once" });
    const { surroundings } = manifest;
    if (surroundings !== undefined && known.has(surroundings))
      context.addIssue({ code: "custom", path: ["surroundings"], message: "is a class: it belongs to the organ" });
    const unknown = manifest.composites.find(({ values }) =>
      values.some((value) => !known.has(value) && value !== surroundings),
    );
    if (unknown !== undefined)
      context.addIssue({
        code: "custom",
        path: ["composites"],
        message: `"${unknown.name}" names a label that is no class`,
      });
    if (manifest.sides.rule === "midsagittal" && manifest.sides.planeFrom.some((value) => !known.has(value)))
      context.addIssue({ code: "custom", path: ["sides"], message: "planeFrom names a label that is no class" });
  });

export type LabelsManifest = z.infer<typeof LabelsManifest>;
