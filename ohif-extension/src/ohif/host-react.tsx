import { type ComponentType, createElement } from "react";

/** React is the viewer's own: one renderer for all. */
export function hostReact() {
  return { createElement };
}

export function island<Props extends object>(Component: ComponentType<Props>, props: Props): () => unknown {
  return () => createElement(Component, props);
}
