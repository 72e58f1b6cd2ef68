import { hostReact, island } from "#island";
import { Panel, type PanelProps } from "../panel/panel.tsx";
import type { OhifContext } from "./types.ts";

/** OHIF's own list of segments with its tools; the second name is 3.11's. */
const ownPanels = ["panelSegmentationWithToolsLabelMap", "panelSegmentationWithTools"].map(
  (name) => `@ohif/extension-cornerstone.panelModule.${name}`,
);

/**
 * Our panel above OHIF's own. Segmentation mode changes to its own tab with the first segmentation: in a tab of its own,
 * the box would vanish with the first result.
 */
export function compositePanel(
  { extensionManager }: Pick<OhifContext, "extensionManager">,
  props: PanelProps,
): (hostProps: unknown) => unknown {
  const Box = island(Panel, props);
  return function Parse3dWithSegments(hostProps) {
    const { createElement } = hostReact();
    const entry = ownPanels.map((id) => extensionManager.getModuleEntry(id)).find((found) => found?.component);
    return createElement(
      "div",
      { style: { display: "flex", flexDirection: "column", height: "100%" } },
      createElement(Box as never, null),
      createElement(
        "div",
        { style: { flex: "1 1 auto", minHeight: 0, overflow: "auto" } },
        entry ? createElement(entry.component as never, hostProps as never) : null,
      ),
    );
  };
}
