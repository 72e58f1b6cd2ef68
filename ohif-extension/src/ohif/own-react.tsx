import { type ComponentType, createElement, type ReactElement } from "react";
import { createRoot, type Root } from "react-dom/client";

interface ElementFactory {
  createElement(type: string | unknown, props: unknown, ...children: readonly unknown[]): unknown;
}

/**
 * What makes elements that OHIF's renderer takes: its own React where it shares one (3.14), otherwise ours, whose elements
 * look the same to React 18.
 */
export function hostReact(): ElementFactory {
  return (
    (globalThis as { readonly react?: ElementFactory }).react ?? {
      createElement: createElement as ElementFactory["createElement"],
    }
  );
}

/** A component for OHIF's renderer that holds one for ours: hooks of one React do not run under another. */
export function island<Props extends object>(Component: ComponentType<Props>, props: Props): () => unknown {
  const roots = new WeakMap<HTMLElement, Root>();
  let mounted: HTMLElement | null = null;
  const ref = (element: HTMLElement | null) => {
    if (element) {
      mounted = element;
      const root = createRoot(element);
      roots.set(element, root);
      root.render(createElement(Component, props) as ReactElement);
    } else if (mounted) {
      const root = roots.get(mounted);
      mounted = null;
      // OHIF's renderer is at work now; ours may end only after it.
      queueMicrotask(() => root?.unmount());
    }
  };
  return () => hostReact().createElement("div", { ref });
}
