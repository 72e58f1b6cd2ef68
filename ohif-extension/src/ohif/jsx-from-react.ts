import { createElement, Fragment } from "react";

type Type = Parameters<typeof createElement>[0];

/** `react/jsx-runtime` for hosts that share React and not its JSX runtime. */
export function jsx(type: Type, { children, ...props }: { readonly children?: unknown }, key?: string): unknown {
  const all = key === undefined ? props : { ...props, key };
  const list = Array.isArray(children) ? children : children === undefined ? [] : [children];
  return createElement(type, all, ...list);
}

export { Fragment, jsx as jsxs };
