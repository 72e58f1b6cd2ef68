import type { JobView } from "#server/contract/index.ts";
import { hasEnded } from "../api/follow-job.ts";
import type { ActiveSeries, JobEntry } from "../state/panel-state.ts";
import { overall } from "../state/progress.ts";
import { promptsOf } from "../state/session.ts";
import { quoted, stageLine, type Texts } from "../texts.ts";
import { FindingRow } from "./finding-row.tsx";
import { ProblemNote } from "./problem-note.tsx";

export interface JobCardProps {
  readonly entry: JobEntry;
  readonly texts: Texts;
  readonly serverUrl: string;
  readonly activeSeriesUid: string | undefined;
  onCancel(): void;
  onRetry(prompts: readonly string[], series: ActiveSeries): void;
  onShow(): void;
  onHide(): void;
  onJump(pointLps: readonly [number, number, number]): void;
}

/** One question: what was asked, how far it is, what was found. */
export function JobCard(props: JobCardProps) {
  const { entry, texts, serverUrl, activeSeriesUid } = props;
  const { job, overlay } = entry;
  const prompts = quoted(promptsOf(job));
  const answered = new Set(job.findings.map(({ prompt }) => prompt.id));
  const unanswered = job.request.prompts.flatMap(({ id, text }) => (answered.has(id) ? [] : [text]));
  const isElsewhere = job.request.kind === "series" && job.request.seriesInstanceUid !== activeSeriesUid;
  return (
    <li className="p3d-job" data-cy="parse3d-job" data-state={job.state} data-overlay={overlay.kind} data-job={job.id}>
      {job.ruleId !== undefined && <span className="p3d-note">{texts.byRule(job.ruleId)}</span>}
      {isElsewhere && <span className="p3d-note">{texts.otherSeries}</span>}
      {job.findings.map((finding) => (
        <FindingRow key={finding.prompt.id} finding={finding} texts={texts} onJump={props.onJump} />
      ))}
      {unanswered.length > 0 && (
        <div className="p3d-row" data-cy="parse3d-waiting">
          <span>
            {unanswered.join(", ")}
            {job.state === "cancelled" && `: ${texts.cancelled}`}
          </span>
        </div>
      )}
      {!hasEnded(job.state) && <Progress {...props} prompts={prompts} />}
      {job.problem && (
        <ProblemNote
          text={job.problem.detail ?? job.problem.title}
          problem={job.problem}
          texts={texts}
          serverUrl={serverUrl}
        />
      )}
      <Notes job={job} texts={texts} />
      {overlay.kind === "loading" && <span className="p3d-note">{texts.loadingOverlay}</span>}
      {overlay.kind === "failed" && <span className="p3d-note">{texts.overlayFailed(overlay.why)}</span>}
      <Actions {...props} prompts={prompts} />
    </li>
  );
}

/** What the server says of the answers, each sentence once. */
function Notes({ job, texts }: { readonly job: JobView; readonly texts: Texts }) {
  const own =
    job.state === "succeeded" && !job.result?.seg && job.result?.notes.length === 0 ? [texts.nothingFound] : [];
  const notes = new Set([...own, ...(job.result?.notes ?? []), ...job.findings.flatMap((finding) => finding.notes)]);
  if (notes.size === 0) return null;
  return (
    <details className="p3d-note" data-cy="parse3d-notes">
      <summary>{texts.notes(notes.size)}</summary>
      {[...notes].map((note) => (
        <p key={note} className="p3d-note">
          {note}
        </p>
      ))}
    </details>
  );
}

function Progress({
  entry: { job, cancelling },
  texts,
  onCancel,
  prompts,
}: JobCardProps & { readonly prompts: string }) {
  return (
    <>
      <div className="p3d-row">
        <span className="p3d-note" data-cy="parse3d-stage">
          {stageLine(job, texts)}
        </span>
        <button
          type="button"
          className="p3d-button p3d-small"
          data-cy="parse3d-cancel"
          aria-label={texts.cancelJob(prompts)}
          disabled={cancelling}
          onClick={onCancel}
        >
          {cancelling ? texts.cancelling : texts.cancel}
        </button>
      </div>
      <progress className="p3d-bar" aria-label={prompts} max={1} value={overall(job.stage, job.fraction)} />
    </>
  );
}

function Actions({
  entry: { job, overlay },
  texts,
  prompts,
  onShow,
  onHide,
  onRetry,
}: JobCardProps & { readonly prompts: string }) {
  const series = seriesOf(job);
  const mayRetry = (job.state === "failed" && job.problem?.retryable !== false) || job.state === "cancelled";
  if (job.result?.seg && overlay.kind !== "loading") {
    const isShown = overlay.kind === "shown";
    return (
      <button
        type="button"
        className="p3d-button p3d-small"
        data-cy={isShown ? "parse3d-hide" : "parse3d-show"}
        aria-label={isShown ? texts.hideJob(prompts) : texts.showJob(prompts)}
        onClick={isShown ? onHide : onShow}
      >
        {isShown ? texts.hide : texts.show}
      </button>
    );
  }
  return mayRetry && series ? (
    <button type="button" className="p3d-button p3d-small" onClick={() => onRetry(promptsOf(job), series)}>
      {texts.tryAgain}
    </button>
  ) : null;
}

function seriesOf({ request }: JobView): ActiveSeries | undefined {
  if (request.kind !== "series") return undefined;
  const { studyInstanceUid, seriesInstanceUid } = request;
  return { studyInstanceUid, seriesInstanceUid, modality: "", description: "" };
}
