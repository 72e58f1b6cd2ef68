export { type Contract, contract } from "./contract.ts";
export type { DeepReadonly } from "./deep-readonly.ts";
export { FindingView } from "./finding.ts";
export { HealthView, ReadyView } from "./health.ts";
export { JobEvent, JobList, JobPriority, JobStage, JobState, JobView, SubmitJob } from "./job.ts";
export { Modality, ModelList, ModelView, VocabularyView } from "./model.ts";
export { Problem, ProblemCode } from "./problem.ts";
export { CodedConcept, MergeMode, ModelName, PromptInput, PromptView } from "./prompt.ts";
export type { EventOf, EventsRoute, FieldsOf, InputOf, JsonRoute, ReplyOf, Route, UploadRoute } from "./route.ts";
export {
  OrthancNotice,
  OrthancNoticeReply,
  RoutingRule,
  RuleId,
  RuleList,
  RulePredicate,
  RuleTestView,
  RuleView,
  TestRules,
} from "./rule.ts";
export { FindingsHeader, SegmentFields } from "./segment.ts";
export { Uid } from "./uid.ts";
