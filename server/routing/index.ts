export type { RoutedModels } from "./answerable.ts";
export { RuleNotFoundError } from "./errors.ts";
export { evaluate, type Verdict } from "./evaluate.ts";
export { type LoopGuard, madeByUs, notAnImage, storedByUs, whyNever } from "./loop-guard.ts";
export { ROUTING_OWNER } from "./route-series.ts";
export { type RoutedArchive, type Routing, type RoutingOptions, startRouting } from "./routing.ts";
export { parseRulesFile, rulesFileSchema } from "./rules-file.ts";
export type { SeriesFacts } from "./series-facts.ts";
