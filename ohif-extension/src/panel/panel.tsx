import type { KeyboardEvent } from "react";
import { hasEnded } from "../api/follow-job.ts";
import { entriesOfStudy } from "../state/panel-state.ts";
import type { Visit } from "../visit.ts";
import { JobCard } from "./job-card.tsx";
import { ProblemNote } from "./problem-note.tsx";
import { PromptBox } from "./prompt-box.tsx";
import { styles } from "./styles.ts";
import { useVisit } from "./use-visit.ts";

export interface PanelProps {
  readonly visit: Visit;
}

/** The keys that press what has the focus: the viewer has meanings of its own for them, and would take them. */
function keepPressing(event: KeyboardEvent): void {
  if (event.key === "Enter" || event.key === " ") event.stopPropagation();
}

/** The prompt box, what runs, and what was found in the study that is open. */
export function Panel({ visit }: PanelProps) {
  const { session, state } = useVisit(visit);
  const { settings } = visit;
  const { texts } = settings;
  const { series } = state;
  const vocabulary = series && state.vocabularies[series.modality];
  const entries = entriesOfStudy(state);
  return (
    <section className="p3d-panel" aria-label={texts.title} data-cy="parse3d-panel" onKeyDown={keepPressing}>
      <style>{styles}</style>
      <PromptBox
        texts={texts}
        draft={state.draft}
        onDraft={(draft) => session?.setDraft(draft)}
        onSegment={(prompts) => session?.segment(prompts)}
        onRecognise={() => session?.recognise()}
        vocabulary={vocabulary}
        modality={series?.modality ?? ""}
        disabled={!session || !series || state.submitting}
      />
      {!series && <p className="p3d-note">{texts.noSeries}</p>}
      {state.server === "unreachable" && <p className="p3d-error">{texts.unreachable}</p>}
      {state.refusal && <ProblemNote {...state.refusal} texts={texts} serverUrl={settings.serverUrl} />}
      {series && entries.length === 0 && <p className="p3d-note">{texts.noResults}</p>}
      {session && entries.length > 0 && (
        <ul className="p3d-jobs" aria-label={texts.results} data-cy="parse3d-jobs">
          {entries.map((entry) => (
            <JobCard
              key={entry.job.id}
              entry={entry}
              texts={texts}
              serverUrl={settings.serverUrl}
              activeSeriesUid={series?.seriesInstanceUid}
              onCancel={() => session.cancel(entry.job.id)}
              onAskAgain={(options) => session.askAgain(entry.job.id, options)}
              onShow={() => session.show(entry.job.id)}
              onHide={() => session.hide(entry.job.id)}
              onJump={(at) => session.jumpTo(entry.job.id, at)}
              onThreshold={(promptId, threshold) => session.setThreshold(entry.job.id, promptId, threshold)}
              onResetThresholds={() => session.resetThresholds(entry.job.id)}
              onSaveThresholds={() => session.saveThresholds(entry.job.id)}
              onReview={(verdict, reason) => session.review(entry.job.id, verdict, reason)}
            />
          ))}
        </ul>
      )}
      <div
        role="status"
        aria-live="polite"
        className="p3d-hidden"
        data-busy={entries.some(({ job }) => !hasEnded(job.state))}
      >
        {state.announcement}
      </div>
    </section>
  );
}
