export { type Contract, contract } from "./contract.ts";
export type { DeepReadonly } from "./deep-readonly.ts";
export { FindingView } from "./finding.ts";
export { HealthView, ReadyView } from "./health.ts";
export {
  JobEvent,
  JobList,
  JobPriority,
  JobStage,
  JobState,
  JobView,
  ProcedureStepState,
  procedureStepStateOf,
  SubmitJob,
} from "./job.ts";
export { Modality, ModelList, ModelView, VocabularyView } from "./model.ts";
export { MaskRuns } from "./preview.ts";
export { CutAgain, KeptView, RecutView } from "./probabilities.ts";
export { Problem, ProblemCode } from "./problem.ts";
export { CodedConcept, MergeMode, ModelName, PromptInput, PromptView } from "./prompt.ts";
export { Output, SegmentationType } from "./question.ts";
export { ReviewList, ReviewView, SubmitReview, Verdict } from "./review.ts";
export type {
  BytesRoute,
  EventOf,
  EventsRoute,
  FieldsOf,
  InputOf,
  JsonRoute,
  ReplyOf,
  Route,
  UploadRoute,
} from "./route.ts";
export {
  BackfillRule,
  BackfillStopped,
  BackfillView,
  BeginningHours,
  Destination,
  OrthancNotice,
  OrthancNoticeReply,
  RoutingRule,
  RuleId,
  RuleList,
  RulePredicate,
  RuleTaken,
  RuleTestView,
  RuleView,
  TestRules,
} from "./rule.ts";
export { FindingsHeader, SegmentFields } from "./segment.ts";
export { Uid } from "./uid.ts";
