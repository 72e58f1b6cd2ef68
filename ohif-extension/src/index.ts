import { commands } from "./commands.ts";
import { extensionId } from "./id.ts";
import { compositePanel } from "./ohif/composite-panel.ts";
import type { OhifContext } from "./ohif/types.ts";
import { createVisit, type Visit } from "./visit.ts";

let visit: Visit | undefined;

/** One for each page: OHIF asks for modules several times, and the mode is entered and left. */
function visitOf(context: OhifContext): Visit {
  visit ??= createVisit(context);
  return visit;
}

/** Parse3D in OHIF: the panel, its commands, and the jobs behind them. */
const extension = {
  id: extensionId,

  getPanelModule: (context: OhifContext) => [
    {
      name: "parse3d",
      iconName: "tab-segmentation",
      iconLabel: "Parse3D",
      label: "Parse3D",
      component: compositePanel(context, { visit: visitOf(context) }),
    },
  ],

  getCommandsModule: (context: OhifContext) => commands(visitOf(context), context),

  onModeEnter: () => visit?.enter(),
  onModeExit: () => visit?.leave(),
};

export default extension;
