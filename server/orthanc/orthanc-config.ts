export interface OrthancConfig {
  readonly name: string;
  readonly storageFolder: string;
  readonly httpPort: number;
  /** Absent: no DICOM protocol, DICOMweb only. */
  readonly dicomPort?: number | undefined;
  readonly dicomwebPlugin: string;
  /** More of Orthanc's own settings, or others in place of ours. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The configuration document of an Orthanc of our own. It answers this machine only: up to 1.12 Orthanc cannot bind to
 * one address, so it refuses the requests of others instead.
 */
export function orthancConfig(config: OrthancConfig) {
  const { name, storageFolder, httpPort, dicomPort, dicomwebPlugin, settings } = config;
  return {
    Name: name,
    StorageDirectory: storageFolder,
    IndexDirectory: storageFolder,
    Plugins: [dicomwebPlugin],
    HttpPort: httpPort,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    WebDavEnabled: false,
    // Old versions compress images at a tenth of the speed where a client accepts it.
    HttpCompressionEnabled: false,
    StorageCompression: false,
    DicomServerEnabled: dicomPort !== undefined,
    ...(dicomPort !== undefined && { DicomPort: dicomPort, DicomCheckCalledAet: false }),
    // A series counts as complete after this many seconds without a new instance.
    StableAge: 2,
    DicomWeb: { Enable: true, Root: "/dicom-web/", StudiesMetadata: "Full", SeriesMetadata: "Full" },
    ...settings,
  };
}
