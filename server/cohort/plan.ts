import { createHash } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import { ModelName, PromptInput, Uid } from "#server/contract/index.ts";
import { InvalidRequestError, promptsFrom } from "#server/domain/index.ts";

const Listed = z.union([
  Uid.transform((seriesInstanceUid) => ({ seriesInstanceUid })),
  z.strictObject({ studyInstanceUid: Uid.optional(), seriesInstanceUid: Uid }),
]);

const Plan = z
  .strictObject({
    series: z.array(Listed).min(1).optional(),
    query: z
      .strictObject({
        modality: z.string().optional(),
        patientId: z.string().optional(),
        studyInstanceUid: Uid.optional(),
        /** Study Date (0008,0020) from this day on; YAML reads one as a number. */
        sinceDay: z
          .union([z.string(), z.number().transform(String)])
          .pipe(z.string().regex(/^\d{8}$/, "is not a day, like 20260131"))
          .optional(),
      })
      .optional(),
    prompts: z.array(PromptInput).min(1),
    model: ModelName.optional(),
    merge: z.enum(["exclusive", "overlapping"]).default("exclusive"),
    outputs: z.array(z.enum(["seg", "nifti"])).default(["seg"]),
  })
  .refine(({ series, query }) => (series === undefined) !== (query === undefined), "needs either series or query");

export type Plan = z.output<typeof Plan>;

/** A cohort's plan, and a name of what it asks: work goes on where both are the same. */
export interface ReadPlan {
  readonly plan: Plan;
  readonly prompts: ReturnType<typeof promptsFrom>;
  readonly question: string;
}

/** @throws InvalidRequestError with what is wrong with the file; InvalidPromptError */
export function readPlan(text: string): ReadPlan {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new InvalidRequestError("The plan is not YAML. See docs/jobs.md for one.", { cause });
  }
  const parsed = Plan.safeParse(document);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the plan"}: ${message}`);
    throw new InvalidRequestError(`The plan is wrong. ${faults.join("; ")}`);
  }
  const { prompts: asked, model, merge } = parsed.data;
  const prompts = promptsFrom(asked.map((prompt) => (typeof prompt === "string" ? { text: prompt } : prompt)));
  const question = createHash("sha256")
    .update(JSON.stringify([prompts, model ?? null, merge]))
    .digest("hex");
  return { plan: parsed.data, prompts, question };
}
