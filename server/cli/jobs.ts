import type { Command } from "commander";
import { JobState, type JobView, ProcedureStepState, procedureStepStateOf } from "#server/contract/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { runCommand } from "./command.ts";
import { findServer, type RunningServer } from "./running-server.ts";

interface ListOptions {
  readonly state?: string;
  readonly routed?: boolean;
  readonly limit: string;
  readonly json?: boolean;
}

interface RetryOptions {
  readonly failed?: boolean;
  readonly routed?: boolean;
  readonly json?: boolean;
}

export function addJobsCommand(program: Command): void {
  const jobs = program.command("jobs").summary("list, retry and cancel the server's jobs");

  jobs
    .command("list", { isDefault: true })
    .description("Your jobs, newest first; with --routed, those of the routing rules.")
    .option(
      "--state <state>",
      `only ${ProcedureStepState.options.map((state) => JSON.stringify(state)).join(", ")}, or in other words ${JobState.options.join(", ")}`,
    )
    .option("--routed", "those of the routing rules")
    .option("--limit <n>", "at most so many", "20")
    .option("--json", "print one JSON document")
    .action((options: ListOptions) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const listed = await list(findServer({ signal }), options);
        terminal.answer({ jobs: listed }, listed.length === 0 ? ["no jobs"] : listed.map(describe));
      }),
    );

  jobs
    .command("retry")
    .description("Queues jobs again that failed or were cancelled, with all their attempts.")
    .argument("[id...]", "the jobs")
    .option("--failed", "all that failed (the newest 200)")
    .option("--routed", "with --failed: those of the routing rules")
    .option("--json", "print one JSON document")
    .action((ids: string[], options: RetryOptions) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        if ((ids.length === 0) === !options.failed) throw new InvalidRequestError("Name the jobs, or say --failed.");
        const server = findServer({ signal });
        const query = { state: "failed", limit: "200", ...(options.routed && { routed: true }) };
        const wanted = options.failed ? (await list(server, query)).map(({ id }) => id) : ids;
        const retried: JobView[] = [];
        for (const id of wanted) retried.push(await server.call("retryJob", { params: { id } }));
        terminal.answer({ jobs: retried }, [`queued again: ${retried.length}`, ...retried.map(describe)]);
      }),
    );

  jobs
    .command("cancel")
    .description("Cancels jobs that wait or run.")
    .argument("<id...>", "the jobs")
    .option("--json", "print one JSON document")
    .action((ids: string[], options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const server = findServer({ signal });
        const cancelled: JobView[] = [];
        for (const id of ids) cancelled.push(await server.call("cancelJob", { params: { id } }));
        terminal.answer({ jobs: cancelled }, cancelled.map(describe));
      }),
    );
}

async function list(server: RunningServer, { state, routed, limit }: ListOptions): Promise<readonly JobView[]> {
  const stepState = ProcedureStepState.options.find((one) => one === state?.toUpperCase().replace(/[-_]/, " "));
  const only = stepState ? { procedureStepState: stepState } : { ...(state && { state }) };
  const query = { limit, ...only, submittedBy: routed ? "routing" : "me" };
  return (await server.call("listJobs", { query })).jobs;
}

function describe(job: JobView): string {
  const { id, createdAt, state, priority, ruleId, attempt, request, problem, retryAt } = job;
  const asked = request.prompts.map(({ text }) => text).join(", ");
  const by = ruleId === undefined ? priority : `${priority} by ${ruleId}`;
  const tries = attempt > 1 ? `, attempt ${attempt}` : "";
  const next = retryAt === undefined ? "" : `, again at ${retryAt}`;
  const why = problem ? `\n    ${problem.code}: ${problem.detail ?? ""}` : "";
  const stepState = procedureStepStateOf[state];
  // One word for both ways in which a job does not come to its end.
  const how = stepState === "CANCELED" ? ` (${state})` : "";
  return `${id}  ${createdAt}  ${stepState}${how}${tries}${next}  [${by}]  ${asked}${why}`;
}
