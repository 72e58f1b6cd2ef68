import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { PromptInputs } from "./prompt.ts";
import { ruleFields } from "./question.ts";
import { Uid } from "./uid.ts";

const tag = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9]{1,63}$/, "not the keyword of a DICOM attribute, like BodyPartExamined")
  .describe(
    "The keyword of a DICOM attribute of the series' first instance (PS3.6); or SliceCount, SliceSpacing (mm), SendingAE, CalledAE. Of several values, one has to fit",
  );
const scalar = z.union([z.string().max(200), z.number()]);

/** One question about one attribute. Text is compared without regard to case. */
const conditions = [
  z.strictObject({
    tag,
    equals: z.union([scalar, z.array(scalar).min(1).max(100)]).describe("One of several, in a list"),
  }),
  z.strictObject({ tag, contains: z.string().min(1).max(200) }),
  z.strictObject({
    tag,
    matches: z.string().min(1).max(200).describe("A regular expression (RE2 syntax), anywhere in the value"),
  }),
  z.strictObject({ tag, min: z.number() }),
  z.strictObject({ tag, max: z.number() }),
  z.strictObject({ tag, min: z.number(), max: z.number() }),
  z.strictObject({ tag, exists: z.boolean() }),
] as const;

type Condition = z.infer<(typeof conditions)[number]>;
type PredicateTree = Condition | { all: PredicateTree[] } | { any: PredicateTree[] } | { not: PredicateTree };

const several = () => z.array(PredicateNode).min(1).max(50);
const PredicateNode: z.ZodType<PredicateTree, PredicateTree> = z
  .lazy(() =>
    z.union(
      [
        z.strictObject({ all: several() }),
        z.strictObject({ any: several() }),
        z.strictObject({ not: PredicateNode }),
        ...conditions,
      ],
      { error: "needs all, any, not, or a tag with one of: equals, contains, matches, min and max, exists" },
    ),
  )
  .describe("Which series a rule is for");
export const RulePredicate = PredicateNode;
export type RulePredicate = DeepReadonly<PredicateTree>;

const deepest = 12;

/** Refuses what is nested deeper than anybody writes, before anything walks down it. */
function limitDepth(value: unknown, context: z.RefinementCtx): unknown {
  for (let level = [value], depth = 0; level.length > 0; depth++) {
    if (depth > 2 * deepest) {
      context.addIssue({ code: "custom", message: `nested deeper than ${deepest} levels` });
      return z.NEVER;
    }
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return value;
}

export const RuleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "not a rule's id: lower case letters, digits and hyphens")
  .describe("A name for it, like chest-ct");

const clockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "not a time of day, like 22:00")
  .describe("A time of day, like 22:00");

/** Hours of the day in which jobs may begin. */
export const BeginningHours = z
  .strictObject({
    from: clockTime,
    to: clockTime,
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, "not a time zone, like Europe/Berlin")
      .optional()
      .describe("Of the IANA database, like Europe/Berlin; left out: the server's"),
  })
  .refine(({ from, to }) => from !== to, "from and to are the same time");
export type BeginningHours = DeepReadonly<z.output<typeof BeginningHours>>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}

const destinationName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "not a name of a destination: letters, digits, hyphens and underscores");

/** Where results go beside the archive. Rules name it; addresses are in the configuration of the server, or of Orthanc. */
export const Destination = z.union([
  z.strictObject({ dicomweb: destinationName.describe("A DICOMweb root of PARSE3D_DESTINATIONS") }),
  z.strictObject({ modality: destinationName.describe("A modality that Orthanc knows: sent with C-STORE") }),
  z.strictObject({ peer: destinationName.describe("Another Orthanc that Orthanc knows") }),
]);
export type Destination = DeepReadonly<z.output<typeof Destination>>;

/** What is asked of which series as they arrive in the archive. */
export const RoutingRule = z.strictObject({
  id: RuleId,
  description: z.string().max(300).optional(),
  enabled: z.boolean().default(true),
  when: z.preprocess(limitDepth, PredicateNode),
  ask: z.strictObject({ prompts: PromptInputs.optional().describe("May be left out with recognise"), ...ruleFields }),
  derived: z
    .boolean()
    .default(false)
    .describe("Whether it is also for images whose Image Type (0008,0008) says DERIVED"),
  settleSeconds: z.int().min(0).max(86_400).default(0).describe("How long a series must have been complete"),
  priority: z.enum(["routed", "batch"]).default("routed"),
  onlyBetween: BeginningHours.optional().describe(
    "Its jobs begin only from `from` until `to`, over midnight where `from` is the later of the two. What runs at the end goes on",
  ),
  destination: Destination.optional().describe("Results are sent there as well, after they are stored in the archive"),
});
export type RoutingRule = DeepReadonly<z.output<typeof RoutingRule>>;

/** A rule as it is kept: defaults filled in. */
export const RuleView = z.object(RoutingRule.shape);

/** A rule as it was taken in. */
export const RuleTaken = RuleView.extend({
  warnings: z.array(z.string()).optional().describe("What is doubtful about it: whether any model can answer it"),
});
export type RuleTaken = DeepReadonly<z.output<typeof RuleTaken>>;

/** How long machines would work, from jobs that succeeded. */
const machineMinutes = {
  estimatedMinutes: z
    .number()
    .min(0)
    .optional()
    .describe("Machine minutes for all matches whose model has done jobs; absent where none has"),
  estimates: z
    .array(
      z.object({
        model: z.string().optional().describe("Who would answer; absent where that is not known"),
        series: z.int().min(0),
        minutes: z.number().min(0).optional().describe("Absent where no job of the model has succeeded yet"),
      }),
    )
    .optional()
    .describe("The same for each model, by the number of slices where enough jobs noted theirs"),
};

export const RuleList = z.object({ rules: z.array(RuleView) });

/** Which series of the archive rules would have been for. Nothing is queued. */
export const TestRules = z.strictObject({
  rules: z.array(RoutingRule).max(200).optional().describe("Left out: the rules that are there, enabled or not"),
  sinceDays: z
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe("Studies of the last so many days, by Study Date (0008,0020)"),
  limit: z.int().min(1).max(10_000).default(1000).describe("Series looked at, at most"),
});

export const RuleTestView = z.object({
  seriesTested: z.int().min(0),
  complete: z.boolean().describe("false: there are more series than the limit"),
  rules: z.array(
    z.object({
      id: RuleId,
      matched: z.int().min(0),
      warnings: z.array(z.string()).optional().describe("Why no model could answer it, or why that is not known"),
    }),
  ),
  ...machineMinutes,
  series: z.array(
    z.object({
      studyInstanceUid: Uid,
      seriesInstanceUid: Uid,
      modality: z.string(),
      seriesDescription: z.string().optional(),
      sliceCount: z.int(),
      matched: z.array(RuleId),
      neverBecause: z.string().optional().describe("Why no rule at all may route it"),
      unmatched: z.array(z.object({ id: RuleId, because: z.array(z.string()) })),
    }),
  ),
});
export type RuleTestView = DeepReadonly<z.infer<typeof RuleTestView>>;

/** Asks a rule of what the archive holds already. */
export const BackfillRule = z.strictObject({
  sinceDays: z
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe("Studies of the last so many days, by Study Date (0008,0020)"),
  limit: z.int().min(1).max(10_000).default(100).describe("Series to be asked about, at most"),
  perHour: z.int().min(1).max(3600).default(60).describe("Jobs queued in an hour, at most"),
  queue: z.boolean().default(false).describe("false: only tells what would be asked about"),
});

export const BackfillView = z.object({
  rule: RuleId,
  seriesTested: z.int().min(0),
  complete: z.boolean().describe("false: the limit was reached before the archive's end"),
  matched: z.int().min(0).describe("Series that are asked about, or would be, because of this request"),
  queued: z.boolean(),
  waiting: z.int().min(0).describe("Series that this rule is still to be asked of, these included"),
  hours: z.number().min(0).describe("How long that takes at least, at so many in an hour"),
  ...machineMinutes,
  series: z.array(
    z.object({
      studyInstanceUid: Uid,
      seriesInstanceUid: Uid,
      modality: z.string(),
      seriesDescription: z.string().optional(),
      sliceCount: z.int(),
      outcome: z
        .enum(["matched", "asked-before", "waiting", "arriving", "unmatched", "never"])
        .describe("asked-before: the rule was asked of the same instances; arriving: not complete yet"),
      because: z.array(z.string()),
    }),
  ),
});
export type BackfillView = DeepReadonly<z.infer<typeof BackfillView>>;

export const BackfillStopped = z.object({ rule: RuleId, removed: z.int().min(0).describe("Series that waited") });

/** What an Orthanc says when something arrived. It wakes the poller; what there is to do, the poller finds itself. */
export const OrthancNotice = z.looseObject({ event: z.string().max(100).optional() });
export const OrthancNoticeReply = z.object({ woken: z.boolean() });
