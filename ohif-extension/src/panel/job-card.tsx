import type { JobView, Verdict } from "#server/contract/index.ts";
import { hasEnded } from "../api/follow-job.ts";
import { type JobEntry, mayResample, nameOf, recutOf, resampled, segShownFor } from "../state/panel-state.ts";
import { overall } from "../state/progress.ts";
import { moment, stageLine, type Texts } from "../texts.ts";
import { FindingRow } from "./finding-row.tsx";
import { ProblemNote } from "./problem-note.tsx";
import { ReviewRow } from "./review-row.tsx";
import { ThresholdRow } from "./threshold-row.tsx";

export interface JobCardProps {
  readonly entry: JobEntry;
  readonly texts: Texts;
  readonly serverUrl: string;
  readonly activeSeriesUid: string | undefined;
  onCancel(): void;
  onAskAgain(options?: { readonly resample?: boolean; readonly force?: boolean }): void;
  onShow(): void;
  onHide(): void;
  onJump(pointLps: readonly [number, number, number]): void;
  onThreshold(promptId: string, threshold: number): void;
  onResetThresholds(): void;
  onSaveThresholds(): void;
  onReview(verdict: Verdict, reason?: string): void;
}

/** One question: what was asked, how far it is, what was found. */
export function JobCard(props: JobCardProps) {
  const { entry, texts, serverUrl, activeSeriesUid } = props;
  const { job, overlay } = entry;
  const prompts = nameOf(job, texts);
  const answered = new Set(job.findings.map(({ prompt }) => prompt.id));
  const unanswered = job.request.prompts.flatMap(({ id, text }) => (answered.has(id) ? [] : [text]));
  const isRecognition = job.request.prompts.length === 0;
  const findings = ranked(job.findings);
  const isElsewhere = job.request.kind === "series" && job.request.seriesInstanceUid !== activeSeriesUid;
  return (
    <li className="p3d-job" data-cy="parse3d-job" data-state={job.state} data-overlay={overlay.kind} data-job={job.id}>
      <span className="p3d-note" data-cy="parse3d-when">
        {texts.askedAt(moment(job.createdAt), job.ruleId === undefined ? texts.byYou : texts.byRule(job.ruleId))}
        {recutOf(job) !== undefined && ` · ${texts.recutOf}`}
        {isElsewhere && ` · ${texts.otherSeries}`}
      </span>
      {isRecognition && <span>{texts.recognise}</span>}
      {findings
        .filter(({ present }) => present || !isRecognition)
        .map((finding) => (
          <FindingRow key={finding.prompt.id} finding={finding} texts={texts} onJump={props.onJump} />
        ))}
      {isRecognition && <Absent findings={findings} texts={texts} />}
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
      <AnsweredBy {...props} prompts={prompts} />
      {overlay.kind === "loading" && <span className="p3d-note">{texts.loadingOverlay}</span>}
      {overlay.kind === "failed" && <span className="p3d-note">{texts.overlayFailed(overlay.why)}</span>}
      <ThresholdRow {...props} />
      <ReviewRow {...props} prompts={prompts}>
        <Actions {...props} prompts={prompts} />
      </ReviewRow>
    </li>
  );
}

/** What was looked for and is not there: folded, for it is most of the list. */
function Absent({ findings, texts }: { readonly findings: JobView["findings"]; readonly texts: Texts }) {
  const absent = findings.filter(({ present }) => !present);
  if (absent.length === 0) return null;
  return (
    <details className="p3d-note" data-cy="parse3d-absent">
      <summary>{texts.notThere(absent.length)}</summary>
      {absent.map(({ prompt }) => prompt.text).join(", ")}
    </details>
  );
}

/** What the server says of the answers, each sentence once. */
function Notes({ job, texts }: { readonly job: JobView; readonly texts: Texts }) {
  const own =
    job.state === "succeeded" && !job.result?.seg && job.result?.notes.length === 0 ? [texts.nothingFound] : [];
  const notes = new Set([...own, ...(job.result?.notes ?? []), ...job.findings.flatMap((finding) => finding.notes)]);
  if (notes.size === 0) return null;
  return (
    // What was put onto another grid says so without being asked.
    <details className="p3d-note" data-cy="parse3d-notes" open={resampled(job)}>
      <summary>{texts.notes(notes.size)}</summary>
      {[...notes].map((note) => (
        <p key={note} className="p3d-note">
          {note}
        </p>
      ))}
    </details>
  );
}

/** The model, under which licence and for what it may be used; and a way to have it compute once more what it answered. */
function AnsweredBy({ entry, texts, prompts, onAskAgain }: JobCardProps & { readonly prompts: string }) {
  const { job } = entry;
  const { result } = job;
  if (!result) return null;
  const { licence, intendedUse, computedOn } = result.model;
  const lines = [licence && texts.licence(licence), intendedUse, computedOn && texts.computedOn(computedOn)];
  return (
    <details className="p3d-note" data-cy="parse3d-model">
      <summary>{texts.answeredBy(result.model)}</summary>
      {lines.map((line) =>
        line ? (
          <p key={line} className="p3d-note">
            {line}
          </p>
        ) : null,
      )}
      {job.request.kind === "series" && recutOf(job) === undefined && (
        <button
          type="button"
          className="p3d-button p3d-small"
          data-cy="parse3d-ask-anew"
          aria-label={texts.askAnewJob(prompts)}
          onClick={() => onAskAgain({ force: true })}
        >
          {texts.askAnew}
        </button>
      )}
    </details>
  );
}

function Progress({
  entry: { job, cancelling, drawn },
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
      {drawn && <span className="p3d-note">{texts.drawing}</span>}
      <progress className="p3d-bar" aria-label={prompts} max={1} value={overall(job.stage, job.fraction)} />
    </>
  );
}

function Actions({ entry, texts, prompts, onShow, onHide, onAskAgain }: JobCardProps & { readonly prompts: string }) {
  const { job, overlay } = entry;
  const mayRetry = (job.state === "failed" && job.problem?.retryable !== false) || job.state === "cancelled";
  if (segShownFor(entry)) {
    const isShown = overlay.kind === "shown";
    // While it is loaded the button stays, with the focus that it may have.
    const isLoading = overlay.kind === "loading";
    return (
      <button
        type="button"
        className="p3d-button p3d-small"
        data-cy={isShown ? "parse3d-hide" : "parse3d-show"}
        aria-label={isShown ? texts.hideJob(prompts) : texts.showJob(prompts)}
        aria-disabled={isLoading || undefined}
        onClick={isShown ? onHide : isLoading ? undefined : onShow}
      >
        {isShown ? texts.hide : texts.show}
      </button>
    );
  }
  if (mayResample(job)) {
    return (
      <button
        type="button"
        className="p3d-button p3d-small"
        data-cy="parse3d-resample"
        aria-label={texts.resampleJob(prompts)}
        onClick={() => onAskAgain({ resample: true })}
      >
        {texts.resample}
      </button>
    );
  }
  return mayRetry && job.request.kind === "series" ? (
    <button type="button" className="p3d-button p3d-small" onClick={() => onAskAgain()}>
      {texts.tryAgain}
    </button>
  ) : null;
}

/** What is there before what is not, the surest first: as many may have been asked as the models recommend. */
function ranked(findings: JobView["findings"]): JobView["findings"] {
  if (findings.length < 2) return findings;
  return [...findings].sort((a, b) => Number(b.present) - Number(a.present) || (b.score ?? 0) - (a.score ?? 0));
}
