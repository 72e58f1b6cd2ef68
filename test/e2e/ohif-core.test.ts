import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ensurePlugins } from "../../ohif-extension/build/ensure-plugins.ts";
import {
  type CommandsManager,
  type ExtensionManager,
  openOhifCore,
  type ServicesManager,
} from "../fixtures/ohif-core.ts";
import { startTestServer } from "../fixtures/test-server.ts";

const id = "@parse3d/ohif-extension";
const panelId = `${id}.panelModule.parse3d`;
const token = "0123456789abcdef";

const ct = {
  displaySetInstanceUID: "ct",
  StudyInstanceUID: "1.2.840.1",
  SeriesInstanceUID: "1.2.840.1.1",
  Modality: "CT",
};
const seg = { ...ct, displaySetInstanceUID: "seg", SeriesInstanceUID: "1.2.840.1.9", Modality: "SEG" };

/** Where the extension's own words go: what OHIF's provider of notifications is told. */
const notices: { readonly message: string; readonly type: string }[] = [];

/** OHIF keeps viewports in React; its service asks whoever says that it knows. */
const grid = { activeViewportId: "a", viewports: new Map<string, unknown>() };

/** Of OHIF's cornerstone extension, which needs WebGL: nothing is drawn here. */
const drawn = ["cornerstoneViewportService", "segmentationService"].map((name) => ({
  name,
  create: () => ({
    EVENTS: { VIEWPORT_DATA_CHANGED: "changed" },
    subscribe: () => ({ unsubscribe: () => {} }),
    getCornerstoneViewport: () => undefined,
  }),
}));

describe("the extension and the mode as they are built for OHIF, in OHIF's own managers", () => {
  let server: Awaited<ReturnType<typeof startTestServer>>;
  let commands: CommandsManager;
  let services: ServicesManager;
  let extensions: ExtensionManager;
  let plugins: string;

  beforeAll(async () => {
    server = await startTestServer({ http: { access: { kind: "tokens", host: "127.0.0.1", tokens: [token] } } });
    plugins = await ensurePlugins({ say: () => {} });
    const core = await openOhifCore();
    commands = new core.CommandsManager({ getAppState: () => ({}) });
    services = new core.ServicesManager(commands);
    extensions = new core.ExtensionManager({
      commandsManager: commands,
      servicesManager: services,
      hotkeysManager: {},
      serviceProvidersManager: {},
      appConfig: {},
    });
    services.setExtensionManager(extensions);
    services.registerServices([
      // As app-config.js of a site says it.
      [core.CustomizationService.REGISTRATION, { "parse3d.settings": { serverUrl: `${server.url}/` } }],
      core.DisplaySetService.REGISTRATION,
      core.PanelService.REGISTRATION,
      core.ToolbarService.REGISTRATION,
      core.UINotificationService.REGISTRATION,
      core.UserAuthenticationService.REGISTRATION,
      core.ViewportGridService.REGISTRATION,
      ...drawn,
    ]);
    const { customizationService, uiNotificationService, userAuthenticationService, viewportGridService } =
      services.services;
    customizationService.init(extensions);
    uiNotificationService.setServiceImplementation({
      show: (notice: (typeof notices)[number]) => notices.push(notice),
    });
    userAuthenticationService.setServiceImplementation({
      getAuthorizationHeader: () => ({ Authorization: `Bearer ${token}` }),
    });
    viewportGridService.setServiceImplementation({ getState: () => grid, onModeExit: () => {} });
    commands.createContext("VIEWER");
    const { default: extension } = await import(join(plugins, "index.js"));
    await extensions.registerExtension(extension);
    extensions.onModeEnter();
  });
  afterAll(async () => {
    extensions?.onModeExit();
    await server?.[Symbol.asyncDispose]();
  });

  /** Puts display sets into the viewport that is active. */
  function look(...displaySetInstanceUIDs: readonly string[]): void {
    const { viewportGridService } = services.services;
    grid.viewports.set("a", { viewportId: "a", displaySetInstanceUIDs });
    viewportGridService._broadcastEvent(viewportGridService.EVENTS.ACTIVE_VIEWPORT_ID_CHANGED, { viewportId: "a" });
  }

  test("the panel is found by the name that layouts call it", () => {
    expect(extensions.registeredExtensionIds).toContain(id);
    services.services.panelService.addPanels("right", [panelId]);
    const [panel] = services.services.panelService.getPanels("right");
    expect(panel).toMatchObject({ id: panelId, name: "parse3d" });
    expect(panel?.content).toBeTypeOf("function");
  });

  test("the commands stand in the context of viewers, for hotkeys, buttons and other extensions", () => {
    for (const name of ["parse3dSegment", "parse3dRecognise", "parse3dCancel", "parse3dFocus"]) {
      expect(commands.getCommand(name, "VIEWER")).toHaveProperty("commandFn");
    }
  });

  test("without a series in view nothing is sent", async () => {
    look();
    expect(await commands.run("parse3dSegment", { prompt: "skull" })).toBeUndefined();
    look("nothing that OHIF knows");
    expect(await commands.run("parse3dSegment", { prompt: "skull" })).toBeUndefined();
    expect(server.runner.begun).toEqual([]);
  });

  test("a command asks the server that the customization names, as the user, about the images of the active viewport", async () => {
    services.services.displaySetService.addDisplaySets(ct, seg);
    look("seg", "ct");
    const job = await commands.run("parse3dSegment", { prompt: "unicorn, unicorn" });
    expect(job).toMatchObject({
      state: "succeeded",
      request: { seriesInstanceUid: ct.SeriesInstanceUID, prompts: [{ text: "unicorn" }] },
      findings: [{ present: false }],
    });
    expect(notices.at(-1)).toMatchObject({ type: "success", message: expect.stringContaining("unicorn: not found") });
  });

  test("the newest running job is cancelled by a command", async () => {
    server.runner.hold();
    const ended = commands.run("parse3dSegment", { prompts: ["unicorn", "skull"] });
    await vi.waitFor(() => expect(server.runner.atWork).toBe(1));
    await commands.run("parse3dCancel");
    expect(await ended).toMatchObject({ state: "cancelled" });
    server.runner.release();
  });

  test("the button's command opens the panel", () => {
    const opened: unknown[] = [];
    const { panelService } = services.services;
    const { unsubscribe } = panelService.subscribe(panelService.EVENTS.ACTIVATE_PANEL, (data) => opened.push(data));
    commands.run("parse3dFocus");
    unsubscribe();
    expect(opened).toEqual([{ panelId, forceActive: true }]);
  });

  test("the mode is OHIF's for segmentation, with the panel in the place of its own and a button in the toolbar", async () => {
    const entered: unknown[] = [];
    const own = "@ohif/extension-cornerstone.panelModule.panelSegmentationWithToolsLabelMap";
    const base = {
      onModeEnter: (context: unknown) => entered.push(context),
      extensions: { "@ohif/extension-default": "^3.0.0" },
      routes: [{ path: "template", layoutTemplate: () => ({ id: "l", props: { rightPanels: [own, "other"] } }) }],
    };
    const { default: mode } = await import(join(plugins, "mode.js"));
    const made = await mode.modeFactory({
      modeConfiguration: {},
      loadModules: async () => [{ modeFactory: () => base }],
    });
    const layout = made.routes[0].layoutTemplate({});
    expect(layout.props).toEqual({ rightPanels: [panelId, "other"], rightPanelClosed: false });
    expect(extensions.getModuleEntry(panelId)?.component).toBeTypeOf("function");
    // Loaded by URL, it is not among OHIF's packages: naming it there leaves a blank page.
    expect(Object.keys(made.extensions)).toEqual(["@ohif/extension-default"]);
    made.onModeEnter({ servicesManager: services, extensionManager: extensions, commandsManager: commands });
    expect(entered).toHaveLength(1);
    expect(services.services.toolbarService.getButton("Parse3D")?.props?.commands).toBe("parse3dFocus");
    expect(services.services.toolbarService.state.buttonSections.primary).toContain("Parse3D");
  });

  test("after the mode is left a command asks nothing", async () => {
    const before = server.runner.begun.length;
    extensions.onModeExit();
    expect(await commands.run("parse3dSegment", { prompt: "skull" })).toBeUndefined();
    expect(server.runner.begun).toHaveLength(before);
  });
});
