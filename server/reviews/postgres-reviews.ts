import { type Database, toJsonb } from "#server/database/index.ts";
import type { Review, ReviewedPrompt, ReviewStore, Verdict } from "./review.ts";

interface ReviewRow {
  readonly job_id: string;
  readonly job_owner: string;
  readonly reviewer: string;
  readonly verdict: Verdict;
  readonly reason: string | null;
  readonly reviewed_at: Date;
  readonly study_instance_uid: string;
  readonly series_instance_uid: string;
  readonly model: Review["model"];
  readonly prompts: readonly ReviewedPrompt[];
  readonly seg: NonNullable<Review["seg"]> | null;
}

/** Reviews beside the jobs in the database; they stay when a job is forgotten. */
export function postgresReviews(db: Database): ReviewStore {
  return {
    put: (review) =>
      db.transaction(async (sql) => {
        const { jobId, jobOwner, reviewer, verdict, reason, at, studyInstanceUid, seriesInstanceUid } = review;
        await sql.query(
          `insert into parse3d.reviews (job_id, job_owner, reviewer, verdict, reason, reviewed_at, study_instance_uid,
             series_instance_uid, model, prompts, seg)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           on conflict (job_id, reviewer) do update set verdict = excluded.verdict, reason = excluded.reason,
             reviewed_at = excluded.reviewed_at, prompts = excluded.prompts, seg = excluded.seg`,
          [
            jobId,
            jobOwner,
            reviewer,
            verdict,
            reason ?? null,
            at,
            studyInstanceUid,
            seriesInstanceUid,
            toJsonb(review.model),
            toJsonb(review.prompts),
            review.seg ? toJsonb(review.seg) : null,
          ],
        );
        if (!review.seg) return;
        const { sopInstanceUid, seriesInstanceUid: series, studyInstanceUid: study } = review.seg;
        // What tells our own results from new images, whoever drew on them.
        await sql.query(
          `insert into parse3d.stored_instances (sop_instance_uid, series_instance_uid, study_instance_uid)
           values ($1, $2, $3) on conflict (sop_instance_uid) do nothing`,
          [sopInstanceUid, series, study],
        );
      }),
    list: async ({ jobOwners, limit, jobId, studyInstanceUid, verdict }) => {
      const rows = await db.query<ReviewRow>(
        `select * from parse3d.reviews
         where job_owner = any($1::text[]) and ($2::text is null or study_instance_uid = $2)
           and ($3::text is null or verdict = $3)
           and ($5::text is null or job_id = $5)
         order by reviewed_at desc limit $4`,
        [jobOwners, studyInstanceUid ?? null, verdict ?? null, limit, jobId ?? null],
      );
      return rows.map(reviewOf);
    },
  };
}

function reviewOf(row: ReviewRow): Review {
  return {
    jobId: row.job_id,
    jobOwner: row.job_owner,
    reviewer: row.reviewer,
    verdict: row.verdict,
    ...(row.reason !== null && { reason: row.reason }),
    at: row.reviewed_at,
    studyInstanceUid: row.study_instance_uid,
    seriesInstanceUid: row.series_instance_uid,
    model: row.model,
    prompts: row.prompts,
    ...(row.seg && { seg: row.seg }),
  };
}
