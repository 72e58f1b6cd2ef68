import { useSyncExternalStore } from "react";
import { initialState, type PanelState } from "../state/panel-state.ts";
import type { Session } from "../state/session.ts";
import type { Visit } from "../visit.ts";

const nothing = () => () => {};

/** The open session and its state; a component that uses it is drawn again whenever either changes. */
export function useVisit(visit: Visit): { readonly session: Session | undefined; readonly state: PanelState } {
  const session = useSyncExternalStore(visit.onChange, () => visit.session);
  const state = useSyncExternalStore(session?.store.subscribe ?? nothing, () => session?.store.get() ?? initialState);
  return { session, state };
}
