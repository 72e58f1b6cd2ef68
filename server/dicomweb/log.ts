/** As much of pino's logger as is used here. Fields hold no UID, no URL and no patient data. */
export interface DicomwebLogger {
  debug(fields: Readonly<Record<string, unknown>>): void;
  warn(fields: Readonly<Record<string, unknown>>): void;
}

export const SILENT: DicomwebLogger = { debug: () => {}, warn: () => {} };
