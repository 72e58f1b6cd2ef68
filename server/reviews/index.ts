export { memoryReviews } from "./memory-reviews.ts";
export { postgresReviews } from "./postgres-reviews.ts";
export type { Review, ReviewedPrompt, ReviewQuery, ReviewStore, Verdict } from "./review.ts";
