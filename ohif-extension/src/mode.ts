import { modeId, panelId } from "./id.ts";
import type { OhifContext } from "./ohif/types.ts";

const buttonId = "Parse3D";

interface Layout {
  readonly props: { readonly rightPanels?: readonly string[]; readonly rightPanelClosed?: boolean };
}

interface Route {
  layoutTemplate(args: unknown): Layout;
}

interface ModeInstance {
  readonly routes: readonly [Route, ...Route[]];
  onModeEnter?(context: OhifContext): void;
}

interface OhifMode {
  modeFactory(options: FactoryOptions): ModeInstance | Promise<ModeInstance>;
}

interface FactoryOptions {
  readonly modeConfiguration: unknown;
  loadModules(names: readonly string[]): Promise<readonly [OhifMode]>;
}

/** OHIF's segmentation mode with Parse3D's panel in the place of its list of segments, which the panel holds itself. */
const mode = {
  id: modeId,
  modeFactory: async ({ modeConfiguration, loadModules }: FactoryOptions) => {
    const [segmentation] = await loadModules(["@ohif/mode-segmentation"]);
    const base = await segmentation.modeFactory({ modeConfiguration, loadModules });
    const [route] = base.routes;
    return {
      ...base,
      id: modeId,
      routeName: "parse3d",
      displayName: "Parse3D segmentation",
      hide: false,
      routes: [{ ...route, path: "parse3d", layoutTemplate: (args: unknown) => withPanel(route.layoutTemplate(args)) }],
      onModeEnter(context: OhifContext) {
        base.onModeEnter?.call(this, context);
        addButton(context);
      },
    };
  },
};

export default mode;

function withPanel(layout: Layout): Layout {
  const others = (layout.props.rightPanels ?? []).filter((id) => !/panelSegmentationWithTools(LabelMap)?$/.test(id));
  return { ...layout, props: { ...layout.props, rightPanels: [panelId, ...others], rightPanelClosed: false } };
}

function addButton({ servicesManager }: OhifContext): void {
  const { toolbarService } = servicesManager.services;
  toolbarService.register?.([
    {
      id: buttonId,
      uiType: "ohif.toolButton",
      props: {
        icon: "tab-segmentation",
        label: "Parse3D",
        tooltip: "Parse3D: say what to find",
        commands: "parse3dFocus",
        evaluate: "evaluate.action",
      },
    },
  ]);
  toolbarService.updateSection?.("primary", [buttonId]);
}
