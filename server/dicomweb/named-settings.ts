import type { DicomwebLogger } from "./log.ts";

/** Where the archive of jobs is set: what faults tell to look at. */
const OWN = /PARSE3D_DICOMWEB_(?:URL|TOKEN)/g;

/** The same words about another archive, which is set elsewhere. */
export interface NamedSettings {
  logger(logger: DicomwebLogger): DicomwebLogger;
  /** Runs `work`; what it throws names the setting. */
  during<T>(work: () => T): T;
}

/** @param setting what names the archive, like PARSE3D_DESTINATIONS (research); undefined: the archive of jobs */
export function namedSettings(setting: string | undefined): NamedSettings {
  if (setting === undefined) return { logger: (logger) => logger, during: (work) => work() };
  const words = (text: string) => text.replace(OWN, setting);
  const rename = (error: unknown): never => {
    if (error instanceof Error) error.message = words(error.message);
    throw error;
  };
  const fieldsOf = (fields: Readonly<Record<string, unknown>>) =>
    typeof fields.reason === "string" ? { ...fields, reason: words(fields.reason) } : fields;
  return {
    logger: (logger) => ({
      debug: (fields) => logger.debug(fieldsOf(fields)),
      warn: (fields) => logger.warn(fieldsOf(fields)),
    }),
    during: <T>(work: () => T): T => {
      try {
        const result = work();
        return result instanceof Promise ? (result.catch(rename) as T) : result;
      } catch (error) {
        return rename(error);
      }
    },
  };
}
