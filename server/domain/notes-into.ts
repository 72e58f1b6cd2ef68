import type { Run } from "./ports.ts";

/** The same run; what the model notes is kept for the result as well. */
export function notesInto(notes: string[], run: Run): Run {
  return {
    signal: run.signal,
    progress: (stage, fraction, detail) => run.progress(stage, fraction, detail),
    note: (text) => {
      notes.push(text);
      run.note(text);
    },
  };
}
