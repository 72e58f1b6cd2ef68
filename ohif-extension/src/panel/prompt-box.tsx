import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { VocabularyView } from "#server/contract/index.ts";
import { completions, promptAt, replacePromptAt, splitPrompts, unlisted } from "../state/prompts.ts";
import { quoted, type Texts } from "../texts.ts";

const MOST_COMPLETIONS = 8;

export interface PromptBoxProps {
  readonly texts: Texts;
  readonly draft: string;
  onDraft(text: string): void;
  onSegment(prompts: readonly string[]): void;
  onRecognise(): void;
  readonly vocabulary: VocabularyView | undefined;
  readonly modality: string;
  readonly disabled: boolean;
}

/** One line of text with completions: a combobox with a listbox popup (WAI-ARIA 1.2). */
export function PromptBox(props: PromptBoxProps) {
  const { texts, draft, onDraft, onSegment, onRecognise, vocabulary, modality, disabled } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [caret, setCaret] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);

  const { start, end } = promptAt(draft, Math.min(caret, draft.length));
  const options = isOpen ? completions(draft.slice(start, end), vocabulary, MOST_COMPLETIONS) : [];
  const prompts = splitPrompts(draft);

  function type(text: string, at: number): void {
    onDraft(text);
    setCaret(at);
    setOpen(true);
    setActive(-1);
  }

  function choose(name: string): void {
    onDraft(replacePromptAt(draft, caret, name));
    setOpen(false);
    setActive(-1);
    input.current?.focus();
  }

  function submit(): void {
    setOpen(false);
    setActive(-1);
    if (prompts.length > 0 && !disabled) onSegment(prompts);
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    // The viewer's own hotkeys are not meant while somebody writes.
    event.stopPropagation();
    const chosen = options[active];
    switch (event.key) {
      case "Enter":
        event.preventDefault();
        if (chosen) choose(chosen.name);
        else submit();
        break;
      case "ArrowDown":
      case "ArrowUp": {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        const places = options.length + 1;
        setOpen(true);
        setActive(((active + 1 + step + places) % places) - 1);
        break;
      }
      case "Escape":
        setOpen(false);
        setActive(-1);
        break;
    }
  }

  const isListed = options.length > 0;
  return (
    <>
      <div className="p3d-head">
        <label htmlFor={`${id}-input`}>{texts.promptLabel}</label>
        <span>
          {texts.title} · {texts.researchUse}
        </span>
      </div>
      <div className="p3d-ask">
        <input
          ref={input}
          id={`${id}-input`}
          className="p3d-input"
          data-parse3d-prompt=""
          data-cy="parse3d-prompt"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={isListed}
          aria-controls={`${id}-list`}
          aria-activedescendant={isListed && active >= 0 ? `${id}-${active}` : undefined}
          aria-describedby={`${id}-help`}
          autoComplete="off"
          spellCheck={false}
          placeholder={texts.promptPlaceholder}
          value={draft}
          onChange={({ target }) => type(target.value, target.selectionStart ?? target.value.length)}
          onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0)}
          onKeyDown={onKeyDown}
          onBlur={() => setOpen(false)}
        />
        <button
          type="button"
          className="p3d-button p3d-main"
          data-cy="parse3d-segment"
          disabled={disabled || prompts.length === 0}
          onClick={submit}
        >
          {texts.segment}
        </button>
        <div id={`${id}-list`} className="p3d-list" role="listbox" aria-label={texts.recommended} hidden={!isListed}>
          {options.map(({ name, synonyms }, index) => (
            <div
              key={name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              tabIndex={-1}
              className="p3d-option"
              // Before the box loses the focus and the list closes.
              onMouseDown={(event) => {
                event.preventDefault();
                choose(name);
              }}
            >
              <span>{name}</span>
              <small>{synonyms.slice(0, 2).join(", ")}</small>
            </div>
          ))}
        </div>
      </div>
      <div className="p3d-row p3d-wrap">
        <p id={`${id}-help`} className="p3d-note" data-cy="parse3d-hint">
          {hint(prompts, vocabulary, modality, texts) ?? texts.promptHelp}
        </p>
        <button
          type="button"
          className="p3d-button p3d-small"
          data-cy="parse3d-recognise"
          disabled={disabled || vocabulary?.targets.length === 0}
          onClick={onRecognise}
        >
          {texts.recognise}
        </button>
      </div>
    </>
  );
}

/** What the user should know of the prompts before asking. */
function hint(
  prompts: readonly string[],
  vocabulary: VocabularyView | undefined,
  modality: string,
  texts: Texts,
): string | undefined {
  if (!vocabulary) return undefined;
  if (vocabulary.targets.length === 0 && !vocabulary.open) return texts.nothingListed(modality);
  const strange = unlisted(prompts, vocabulary);
  if (strange.length === 0) return undefined;
  return vocabulary.open ? texts.openList(quoted(strange)) : texts.closedList(quoted(strange), modality);
}
