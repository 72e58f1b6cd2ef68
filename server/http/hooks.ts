import type { Routing } from "#server/routing/index.ts";
import type { Handlers } from "./handlers.ts";
import { enabled } from "./rules.ts";

/** What archives tell by themselves. Nothing of it is believed: it only makes the poller look at once. */
export function hookHandlers(routing: Routing | undefined): Pick<Handlers, "orthancHook"> {
  return {
    orthancHook: () => {
      enabled(routing).wake();
      return { woken: true };
    },
  };
}
