/** OHIF's conventions: an extension's id is its package's name. */
export const extensionId = "@parse3d/ohif-extension";
export const modeId = "@parse3d/ohif-extension/mode";

/** By which OHIF's layouts name the panel. */
export const panelId = `${extensionId}.panelModule.parse3d`;
