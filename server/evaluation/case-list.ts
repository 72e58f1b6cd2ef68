import { z } from "zod";
import { ModelName } from "#server/contract/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";

const Value = z.int().min(1);

/** One value of a label map (a segment's number in a SEG), several that are taken together, or a segment's label. */
const Label = z.union([Value, z.array(Value).min(1), z.string().min(1)]);

const Path = z.string().min(1);

const Asked = z.strictObject({
  image: Path,
  reference: Path,
  /** Prompt to what the reference calls it. */
  targets: z.record(z.string().min(1), Label).refine((targets) => Object.keys(targets).length > 0, "names no target"),
  /** Needed for NIfTI; DICOM says it itself. */
  modality: z.string().min(1).optional(),
  model: ModelName.optional(),
});

const Given = z.strictObject({
  prediction: Path,
  reference: Path,
  label: Label,
  /** In the prediction, where it is not the reference's. */
  predictionLabel: Label.optional(),
  /** What the label is called in the tables. */
  target: z.string().min(1).optional(),
  /** Drawn behind the outlines. */
  image: Path.optional(),
  modality: z.string().min(1).optional(),
});

const CaseList = z.strictObject({ cases: z.array(z.union([Asked, Given])).min(1) });

export type Label = z.output<typeof Label>;
/** An image that a model is asked about. */
export type AskedCase = z.output<typeof Asked>;
/** A segmentation that is there already. */
export type GivenCase = z.output<typeof Given>;
export type EvaluationCase = AskedCase | GivenCase;

export function isGiven(one: EvaluationCase): one is GivenCase {
  return "prediction" in one;
}

/** @throws InvalidRequestError with what is wrong with the list, and where */
export function readCaseList(text: string): readonly EvaluationCase[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequestError("The list is not JSON. See docs/evaluation.md for one.", { cause });
  }
  const parsed = CaseList.safeParse(document);
  if (parsed.success) return parsed.data.cases;
  const faults = parsed.error.issues.map(faultOf);
  throw new InvalidRequestError(`The list is wrong. ${faults.join("; ")}. See docs/evaluation.md for one.`);
}

/** Of a case that is of neither kind, what keeps it from the kind that it begins like. */
function faultOf(issue: z.core.$ZodIssue): string {
  const at = ([first, second, ...rest]: readonly PropertyKey[]) =>
    first === "cases" && typeof second === "number"
      ? `case ${second + 1}${rest.length > 0 ? `, ${rest.join(".")}` : ""}`
      : [first, second, ...rest].filter((key) => key !== undefined).join(".") || "the list";
  if (issue.code !== "invalid_union" || issue.path.length !== 2) return `${at(issue.path)}: ${issue.message}`;
  const isPrediction = issue.errors[0]?.some((e) => e.code === "unrecognized_keys" && e.keys.includes("prediction"));
  const inner = issue.errors[isPrediction ? 1 : 0] ?? [];
  return inner.map(({ path, message }) => `${at([...issue.path, ...path])}: ${message}`).join("; ");
}
