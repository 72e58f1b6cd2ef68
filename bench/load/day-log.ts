import type { Database } from "#server/database/index.ts";
import { type Figure, percentile } from "../figure.ts";

const STAGES = ["fetch", "decode", "infer", "encode", "store"] as const;

/** What the database tells of a day's jobs. */
export class DayLog {
  readonly #db: Database;
  /** By job: when its submitter had the answer, by the database's clock, in seconds. */
  readonly #answered = new Map<string, number>();
  /** Routed jobs that have succeeded. */
  done = 0;
  failed = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  async look(): Promise<void> {
    const [row] = await this.#db.query<{ done: number; failed: number }>(
      `select count(*) filter (where state = 'succeeded' and rule_id is not null)::integer as done,
         count(*) filter (where state = 'failed')::integer as failed from parse3d.jobs`,
    );
    this.done = row?.done ?? 0;
    this.failed = row?.failed ?? 0;
  }

  /** The submitter of this job has the answer now: from here on nothing may begin before it. */
  async answered(id: string): Promise<void> {
    const [row] = await this.#db.query<{ at: number }>(
      "select extract(epoch from clock_timestamp())::double precision as at",
    );
    this.#answered.set(id, row?.at ?? Number.NaN);
  }

  /** Of each interactive job: ms from its submission until it began. */
  async interactiveWaitsMs(): Promise<readonly number[]> {
    const rows = await this.#db.query<{ ms: number }>(
      `select extract(epoch from started_at - created_at)::double precision * 1000 as ms
       from parse3d.jobs where priority = 0 and started_at is not null`,
    );
    return rows.map(({ ms }) => ms);
  }

  /** Routed jobs that were waiting when an interactive one was there, and yet began before it. */
  async overtaken(): Promise<number> {
    let count = 0;
    for (const [id, at] of this.#answered) {
      const [row] = await this.#db.query<{ count: number }>(
        `select count(*)::integer as count from parse3d.jobs as routed, parse3d.jobs as asked
         where asked.id = $1 and routed.priority > 0 and routed.started_at > to_timestamp($2)
           and routed.started_at < asked.started_at`,
        [id, at],
      );
      count += row?.count ?? 0;
    }
    return count;
  }

  /** Jobs whose answer is a SEG of its own. */
  async questions(): Promise<number> {
    const [row] = await this.#db.query<{ count: number }>(
      "select count(distinct result -> 'seg' ->> 'sopInstanceUid')::integer as count from parse3d.jobs",
    );
    return row?.count ?? 0;
  }

  /** Series that were asked about by the rule exactly once. */
  async askedOnce(): Promise<number> {
    const [row] = await this.#db.query<{ count: number }>(
      `select count(*)::integer as count from (select request -> 'series' ->> 'seriesInstanceUid' from parse3d.jobs
         where rule_id is not null and state = 'succeeded' group by 1 having count(*) = 1) as once`,
    );
    return row?.count ?? 0;
  }

  async figures(): Promise<readonly Omit<Figure, "suite">[]> {
    const rows = await this.#db.query<Record<(typeof STAGES)[number] | "run" | "began" | "ended", number>>(
      `select ${STAGES.map((stage) => `coalesce((result -> 'seconds' ->> '${stage}')::double precision, 0) as ${stage}`)},
         extract(epoch from finished_at - started_at)::double precision as run,
         extract(epoch from started_at)::double precision as began,
         extract(epoch from finished_at)::double precision as ended
       from parse3d.jobs where rule_id is not null and state = 'succeeded'`,
    );
    const seconds = Math.max(...rows.map(({ ended }) => ended)) - Math.min(...rows.map(({ began }) => began));
    const perHour = { name: "routed jobs done", unit: "per hour", ours: (3600 * rows.length) / seconds };
    const beside = rows.map((row) => row.run - STAGES.reduce((sum, stage) => sum + row[stage], 0));
    return [
      { ...perHour, runs: rows.length, spread: 0 },
      ...bothOf(
        "a routed job, from claim to end",
        rows.map(({ run }) => run),
      ),
      ...STAGES.flatMap((stage) =>
        bothOf(
          stage,
          rows.map((row) => row[stage]),
        ),
      ),
      ...bothOf("beside the stages", beside),
    ];
  }
}

/** Middle and p95, in ms. */
function bothOf(name: string, seconds: readonly number[]): readonly Omit<Figure, "suite">[] {
  const ms = seconds.map((one) => 1000 * one);
  return [percentile(`${name}: p50`, "ms", ms, 0.5), percentile(`${name}: p95`, "ms", ms, 0.95)];
}

/** SEG instances in the archive. */
export async function countSegs(orthancUrl: string): Promise<number> {
  const body = JSON.stringify({ Level: "Instance", Query: { Modality: "SEG" } });
  const response = await fetch(`${orthancUrl}/tools/find`, { method: "POST", body });
  return ((await response.json()) as unknown[]).length;
}
