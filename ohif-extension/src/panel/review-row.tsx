import { type ReactNode, useId, useState } from "react";
import type { Verdict } from "#server/contract/index.ts";
import type { JobEntry } from "../state/panel-state.ts";
import { reviewLine, type Texts } from "../texts.ts";

interface ReviewRowProps {
  readonly entry: JobEntry;
  readonly texts: Texts;
  readonly prompts: string;
  /** Stands before the buttons, in their row. */
  readonly children: ReactNode;
  onReview(verdict: Verdict, reason?: string): void;
}

/** What the user thinks of a result: right, right after changes, or of no use, and why. */
export function ReviewRow({ entry, texts, prompts, children, onReview }: ReviewRowProps) {
  const { job, review, overlay, reviewing = false } = entry;
  const id = useId();
  const [isRejecting, setRejecting] = useState(false);
  const [reason, setReason] = useState("");
  if (job.state !== "succeeded" || job.request.kind !== "series") return children;
  const reject = () => {
    setRejecting(false);
    onReview("rejected", reason.trim() || undefined);
  };
  const button = (verdict: Verdict, words: string, onClick: () => void, disabled = false) => (
    <button
      type="button"
      className="p3d-button p3d-small"
      data-cy={`parse3d-review-${verdict}`}
      aria-pressed={review?.verdict === verdict}
      title={verdict === "edited" ? texts.editHint : undefined}
      disabled={reviewing || disabled}
      onClick={onClick}
    >
      {words}
    </button>
  );
  return (
    <>
      {review && (
        <span className="p3d-note" data-cy="parse3d-verdict" data-verdict={review.verdict}>
          {reviewLine(review, texts)}
        </span>
      )}
      <div className="p3d-actions">
        {children}
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset takes more room than the panel has */}
        <div className="p3d-actions" role="group" aria-label={texts.review(prompts)}>
          {button("accepted", texts.accept, () => onReview("accepted"))}
          {job.result?.seg && button("edited", texts.saveEdits, () => onReview("edited"), overlay.kind !== "shown")}
          {button("rejected", texts.reject, () => setRejecting(!isRejecting))}
        </div>
      </div>
      {isRejecting && (
        <div className="p3d-ask">
          <label className="p3d-hidden" htmlFor={id}>
            {texts.rejectReason}
          </label>
          <input
            id={id}
            className="p3d-input"
            data-cy="parse3d-reason"
            maxLength={500}
            placeholder={texts.rejectReason}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === "Enter") reject();
              if (event.key === "Escape") setRejecting(false);
            }}
          />
          <button type="button" className="p3d-button" data-cy="parse3d-confirm-reject" onClick={reject}>
            {texts.confirmReject}
          </button>
        </div>
      )}
    </>
  );
}
