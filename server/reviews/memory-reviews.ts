import type { Review, ReviewStore } from "./review.ts";

/** Reviews of this process: lost when it ends. */
export function memoryReviews({ most = 10_000 }: { readonly most?: number } = {}): ReviewStore {
  // In the order of their giving.
  const reviews = new Map<string, Review>();
  return {
    put: async (review) => {
      const key = `${review.jobId} ${review.reviewer}`;
      reviews.delete(key);
      reviews.set(key, review);
      for (const oldest of reviews.keys()) {
        if (reviews.size <= most) break;
        reviews.delete(oldest);
      }
    },
    list: async ({ jobOwners, limit, jobId, studyInstanceUid, verdict }) =>
      [...reviews.values()]
        .filter(
          (review) =>
            jobOwners.includes(review.jobOwner) &&
            (jobId === undefined || review.jobId === jobId) &&
            (studyInstanceUid === undefined || review.studyInstanceUid === studyInstanceUid) &&
            (verdict === undefined || review.verdict === verdict),
        )
        .reverse()
        .slice(0, limit),
  };
}
