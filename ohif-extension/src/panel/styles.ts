/** In OHIF's colours where its stylesheet gives them; every class begins with p3d-. */
export const styles = `
.p3d-panel {
  --p3d-text: hsl(var(--foreground, 0 0% 98%));
  --p3d-dim: hsl(var(--muted-foreground, 211 60% 75%));
  --p3d-accent: hsl(var(--primary, 214 98% 60%));
  --p3d-on-accent: hsl(0 0% 4%);
  --p3d-line: hsl(var(--input, 236 47% 30%));
  --p3d-raised: hsl(var(--popover, 219 90% 15%));
  --p3d-danger: #ff9a8d;
  box-sizing: border-box; display: flex; flex-direction: column; gap: 6px; padding: 8px;
  flex: none; max-height: 50vh; overflow: auto; color: var(--p3d-text); font-size: 13px; line-height: 1.35;
}
.p3d-panel > * { flex: none; }
.p3d-panel *, .p3d-panel *::before { box-sizing: border-box; }
.p3d-head { display: flex; justify-content: space-between; gap: 8px; color: var(--p3d-dim); font-size: 12px; }
.p3d-head label { color: var(--p3d-text); font-weight: 600; }
.p3d-ask { display: flex; gap: 6px; position: relative; }
.p3d-input {
  flex: 1 1 auto; min-width: 0; height: 30px; padding: 0 8px; border: 1px solid var(--p3d-line); border-radius: 4px;
  background: rgb(0 0 0 / 0.35); color: inherit; font: inherit;
}
.p3d-input::placeholder { color: var(--p3d-dim); opacity: 0.8; }
.p3d-button {
  height: 30px; padding: 0 10px; border: 1px solid var(--p3d-line); border-radius: 4px; background: transparent;
  color: var(--p3d-accent); font: inherit; white-space: nowrap; cursor: pointer;
}
.p3d-button:hover:not(:disabled, [aria-disabled]) { background: rgb(255 255 255 / 0.08); }
.p3d-button:is(:disabled, [aria-disabled]) { opacity: 0.55; cursor: default; }
.p3d-button.p3d-main { border-color: var(--p3d-accent); background: var(--p3d-accent); color: var(--p3d-on-accent); }
.p3d-button.p3d-small { flex: none; height: 22px; min-width: 22px; padding: 0 6px; font-size: 12px; }
.p3d-job > .p3d-button { align-self: flex-start; }
.p3d-panel :focus-visible { outline: 2px solid var(--p3d-accent); outline-offset: 1px; }
.p3d-list {
  position: absolute; z-index: 20; top: 33px; left: 0; right: 0; margin: 0; padding: 4px; list-style: none;
  max-height: 220px; overflow: auto; border: 1px solid var(--p3d-line); border-radius: 4px;
  background: var(--p3d-raised); box-shadow: 0 4px 14px rgb(0 0 0 / 0.5);
}
.p3d-option { display: flex; justify-content: space-between; gap: 8px; padding: 3px 6px; border-radius: 3px; cursor: pointer; }
.p3d-option[aria-selected="true"] { background: rgb(255 255 255 / 0.14); }
.p3d-option small { color: var(--p3d-dim); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.p3d-note { margin: 0; color: var(--p3d-dim); font-size: 12px; overflow-wrap: anywhere; }
.p3d-note summary { cursor: pointer; }
.p3d-error { margin: 0; padding: 4px 6px; border-left: 3px solid var(--p3d-danger); color: var(--p3d-danger); overflow-wrap: anywhere; }
.p3d-error a { color: inherit; }
.p3d-jobs { display: flex; flex-direction: column; gap: 6px; margin: 0; padding: 0; list-style: none; }
.p3d-job { display: flex; flex-direction: column; gap: 3px; padding: 5px 6px; border: 1px solid var(--p3d-line); border-radius: 4px; }
.p3d-row { display: flex; align-items: center; justify-content: space-between; gap: 6px; min-height: 22px; }
.p3d-row > span:first-child { flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere; }
.p3d-bar { width: 100%; height: 5px; accent-color: var(--p3d-accent); }
.p3d-row.p3d-wrap { flex-wrap: wrap; }
.p3d-row > p { flex: 1 1 170px; }
.p3d-row > label { flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere; }
.p3d-row > output { flex: none; min-width: 84px; text-align: right; font-variant-numeric: tabular-nums; }
.p3d-slider { flex: 0 1 90px; min-width: 60px; height: 16px; accent-color: var(--p3d-accent); }
.p3d-button[aria-pressed="true"] { background: rgb(255 255 255 / 0.14); text-decoration: underline; }
.p3d-actions { display: flex; flex-wrap: wrap; gap: 3px 6px; }
.p3d-pieces { display: flex; flex-wrap: wrap; gap: 3px; }
.p3d-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
