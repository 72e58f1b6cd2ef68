import { useId } from "react";
import type { FindingView } from "#server/contract/index.ts";
import type { JobEntry } from "../state/panel-state.ts";
import { millilitres, type Texts } from "../texts.ts";

/** Sliders go in such steps; 0 would be everything and 1 nothing. */
const STEP = 0.01;

interface ThresholdRowProps {
  readonly entry: JobEntry;
  readonly texts: Texts;
  onThreshold(promptId: string, threshold: number): void;
  onResetThresholds(): void;
  onSaveThresholds(): void;
}

/** A slider for each finding whose probabilities are kept: it cuts the mask in the viewer anew. */
export function ThresholdRow({ entry, texts, onThreshold, onResetThresholds, onSaveThresholds }: ThresholdRowProps) {
  const { job, overlay, review, thresholds, saving = false } = entry;
  const kept = job.result?.probabilities;
  const findings = job.findings.filter(({ present, prompt }) => present && kept?.prompts.includes(prompt.id));
  if (!kept || findings.length === 0 || overlay.kind !== "shown" || review?.seg) return null;
  return (
    <details className="p3d-note" data-cy="parse3d-thresholds">
      <summary>{texts.threshold}</summary>
      {findings.map((finding) => (
        <Slider
          key={finding.prompt.id}
          entry={entry}
          finding={finding}
          value={thresholds?.[finding.prompt.id] ?? kept.threshold}
          texts={texts}
          disabled={saving}
          onChange={(value) => onThreshold(finding.prompt.id, value)}
        />
      ))}
      {thresholds && (
        <div className="p3d-actions">
          <button
            type="button"
            className="p3d-button p3d-small"
            data-cy="parse3d-save-threshold"
            disabled={saving}
            onClick={onSaveThresholds}
          >
            {saving ? texts.saving : texts.saveThreshold}
          </button>
          <button type="button" className="p3d-button p3d-small" disabled={saving} onClick={onResetThresholds}>
            {texts.reset}
          </button>
        </div>
      )}
    </details>
  );
}

function Slider({
  entry,
  finding,
  value,
  texts,
  disabled,
  onChange,
}: {
  readonly entry: JobEntry;
  readonly finding: FindingView;
  readonly value: number;
  readonly texts: Texts;
  readonly disabled: boolean;
  onChange(value: number): void;
}) {
  const id = useId();
  const { prompt, voxels, volumeMl } = finding;
  const cut = entry.cutVoxels?.[prompt.id];
  const volume = volumeMl === undefined || voxels === 0 ? undefined : (volumeMl * (cut ?? voxels)) / voxels;
  return (
    <div className="p3d-row">
      <label htmlFor={id}>{texts.thresholdOf(prompt.text)}</label>
      <input
        id={id}
        type="range"
        className="p3d-slider"
        data-cy="parse3d-threshold"
        data-prompt={prompt.id}
        data-voxels={cut ?? voxels}
        min={STEP}
        max={1 - STEP}
        step={STEP}
        value={value}
        disabled={disabled}
        onChange={({ target }) => onChange(Number(target.value))}
        // The viewer's own hotkeys are not meant.
        onKeyDown={(event) => event.stopPropagation()}
      />
      <output htmlFor={id}>
        {value.toFixed(2)}
        {volume !== undefined && `, ${millilitres(volume)} mL`}
      </output>
    </div>
  );
}
