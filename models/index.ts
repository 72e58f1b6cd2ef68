export type { ModelCard, Target } from "./model-card.ts";
