import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type JobQueue, type JobRunner, toFailure } from "#server/jobs/index.ts";

/** What Prometheus reads: counts and seconds by stage, state and code. No label holds anything of a patient or a series. */
export interface Metrics {
  countRequest(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** The same runner, counted and timed. */
  measure(runner: JobRunner): JobRunner;
  /** Reads the queue's load whenever the metrics are asked for. */
  watch(queue: JobQueue): void;
  /** In the Prometheus text format. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const buckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "parse3d_http_request_seconds",
    help: "Seconds from a request to the end of its answer",
    labelNames: ["route", "method", "status"],
    buckets,
    registers,
  });
  const jobs = new Counter({
    name: "parse3d_jobs_total",
    help: "Jobs that ran, by how they ended; code is the problem's",
    labelNames: ["kind", "state", "code"],
    registers,
  });
  const stages = new Histogram({
    name: "parse3d_job_stage_seconds",
    help: "Seconds that jobs spent in each stage",
    labelNames: ["stage"],
    buckets,
    registers,
  });

  return {
    countRequest: ({ route, method, status, seconds }) => requests.observe({ route, method, status }, seconds),

    measure: (runner) => async (request, run) => {
      const { kind } = request;
      try {
        const result = await runner(request, run);
        for (const [stage, seconds] of Object.entries(result.seconds)) stages.observe({ stage }, seconds);
        jobs.inc({ kind, state: "succeeded", code: "" });
        return result;
      } catch (error) {
        const state = run.signal.aborted ? "cancelled" : "failed";
        jobs.inc({ kind, state, code: state === "failed" ? toFailure(error).code : "" });
        throw error;
      }
    },

    watch: (queue) => {
      new Gauge({
        name: "parse3d_workers",
        help: "Processes that do jobs now; held: those that take none for want of disk or memory",
        labelNames: ["state"],
        registers,
        async collect() {
          const workers = await queue.workers();
          const held = workers.filter(({ holdsBack }) => holdsBack !== undefined).length;
          this.set({ state: "ready" }, workers.length - held);
          this.set({ state: "held" }, held);
        },
      });
      new Gauge({
        name: "parse3d_jobs",
        help: "Jobs that wait or run now",
        labelNames: ["state"],
        registers,
        async collect() {
          const { queued, running } = await queue.load();
          this.set({ state: "queued" }, queued);
          this.set({ state: "running" }, running);
        },
      });
    },

    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
