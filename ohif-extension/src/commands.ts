import type { JobView } from "#server/contract/index.ts";
import { hasEnded } from "./api/follow-job.ts";
import { panelId } from "./id.ts";
import type { OhifContext } from "./ohif/types.ts";
import { splitPrompts } from "./state/prompts.ts";
import type { Visit } from "./visit.ts";

interface SegmentOptions {
  /** One line, like the box takes it: several between commas. */
  readonly prompt?: string;
  readonly prompts?: readonly string[];
}

/** For hotkeys, toolbar buttons and other extensions. */
export function commands(visit: Visit, { servicesManager }: Pick<OhifContext, "servicesManager">) {
  const { panelService } = servicesManager.services;
  const actions = {
    /** Finds what the prompts name in the series of the active viewport; without prompts, what stands in the box. */
    parse3dSegment: async ({ prompt, prompts }: SegmentOptions = {}): Promise<JobView | undefined> => {
      const { session } = visit;
      return session?.segment(prompts ?? splitPrompts(prompt ?? session.store.get().draft));
    },
    /** Finds all that the models recommend for such an image, in the series of the active viewport. */
    parse3dRecognise: async (): Promise<JobView | undefined> => visit.session?.recognise(),
    /** Cancels a job; without an id, the newest one that has not ended. */
    parse3dCancel: async ({ jobId }: { readonly jobId?: string } = {}): Promise<void> => {
      const { session } = visit;
      const newest = session?.store.get().entries.find(({ job }) => !hasEnded(job.state));
      const id = jobId ?? newest?.job.id;
      if (id !== undefined) await session?.cancel(id);
    },
    /** Opens the panel and puts the cursor into the box. */
    parse3dFocus: (): void => {
      panelService.activatePanel(panelId, true);
      // The panel is drawn after this.
      setTimeout(() => document.querySelector<HTMLInputElement>("[data-parse3d-prompt]")?.focus(), 50);
    },
  };
  const definitions = Object.fromEntries(Object.entries(actions).map(([name, commandFn]) => [name, { commandFn }]));
  return { actions, definitions, defaultContext: "VIEWER" };
}
