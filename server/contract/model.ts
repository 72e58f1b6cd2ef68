import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { CodedConcept } from "./prompt.ts";

/** A modality as DICOM spells it (Modality (0008,0060), VR CS). */
export const Modality = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,15}$/, "not a DICOM modality, like CT, MR, PT or US")
  .describe("Modality (0008,0060): CT, MR, PT, US, ...");

const Target = z.object({
  name: z.string(),
  synonyms: z.array(z.string()),
  code: CodedConcept.optional(),
  sided: z.literal(true).optional().describe("One side of it may be asked for too: left thalamus"),
  phrases: z
    .record(z.string(), z.string())
    .optional()
    .describe("What the model is asked in place of the words, by modality; left out: the words as typed"),
});

/** What a user is told of a model before it answers. */
export const ModelView = z.object({
  name: z.string(),
  version: z.string(),
  sha256: z.string().describe("Over the bundle's files"),
  engine: z
    .enum(["bundle", "labels", "azure-ml", "open-inference"])
    .describe("bundle, labels: computed on the server's machine; azure-ml, open-inference: sent to another one"),
  title: z.string(),
  description: z.string(),
  algorithmFamily: z.enum(["artificial-intelligence", "density-rules"]),
  trained: z.boolean().describe("false: rules, not a trained network"),
  modalities: z.array(z.string()),
  licence: z.string(),
  nonCommercial: z.boolean(),
  vocabulary: z.enum(["open", "closed"]).describe("open: any words may be asked; closed: the targets only"),
  targets: z.array(Target),
  phrasing: z
    .enum(["as-typed", "sentence"])
    .optional()
    .describe(
      "sentence: a prompt that names a target of the image's modality is sent as its phrase; left out: as-typed",
    ),
  intendedUse: z.string(),
});
export type ModelView = DeepReadonly<z.infer<typeof ModelView>>;

export const ModelList = z.object({ models: z.array(ModelView) });

/** What can be asked, over all installed models. */
export const VocabularyView = z.object({
  modality: z.string().optional(),
  open: z.boolean().describe("Whether a model takes any words; targets are then those recommended"),
  targets: z.array(Target.extend({ models: z.array(z.string()).describe("Names of the models that know it") })),
});
export type VocabularyView = DeepReadonly<z.infer<typeof VocabularyView>>;
