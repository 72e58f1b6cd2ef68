import { JSDOM, VirtualConsole } from "jsdom";

/** A browser's globals for React; to be imported before it. */
const { window } = new JSDOM('<!doctype html><html lang="en"><head><title>t</title></head><body></body></html>', {
  pretendToBeVisual: true,
  url: "http://127.0.0.1/",
  // axe asks for a canvas, which is not there; jsdom would say so each time.
  virtualConsole: new VirtualConsole(),
});
for (const name of ["window", "document", "HTMLElement", "HTMLIFrameElement", "Node", "Element", "Event"] as const) {
  Object.defineProperty(globalThis, name, { value: name === "window" ? window : window[name], configurable: true });
}
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export const { document } = window;
export { window };
