/** Where the viewer's own origin answers for others. */
export const paths = {
  dicomweb: "/dicom-web",
  api: "/parse3d-api",
  plugins: "/plugins",
  config: "/app-config.js",
} as const;

export const viewerSettings = {
  name: "Parse3D viewer",
  routerBasename: null,
  showStudyList: true,
  extensions: [`${paths.plugins}/runtime.js`],
  modes: [`${paths.plugins}/runtime-mode.js`],
  customizationService: { "parse3d.settings": { serverUrl: paths.api } },
  maxNumberOfWebWorkers: 2,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
  investigationalUseDialog: { option: "never" },
  defaultDataSourceName: "parse3d",
  dataSources: [
    {
      namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
      sourceName: "parse3d",
      configuration: {
        friendlyName: "Research archive",
        name: "parse3d",
        qidoRoot: paths.dicomweb,
        wadoRoot: paths.dicomweb,
        wadoUriRoot: "/wado",
        qidoSupportsIncludeField: false,
        supportsReject: false,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        imageRendering: "wadors",
        thumbnailRendering: "wadors",
        enableStudyLazyLoad: true,
        dicomUploadEnabled: true,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true, relativeResolution: "studies" },
      },
    },
  ],
};

/** OHIF's app-config.js: one archive behind the viewer's own origin, Parse3D's extension and mode by URL. */
export const appConfig = `window.config = ${JSON.stringify(viewerSettings, undefined, 2)};\n`;
