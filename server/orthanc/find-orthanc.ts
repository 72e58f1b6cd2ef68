import { existsSync } from "node:fs";
import { OrthancNotInstalledError } from "./errors.ts";

export interface OrthancInstallation {
  readonly executable: string;
  readonly dicomwebPlugin: string;
}

const EXECUTABLES = ["/usr/sbin/Orthanc", "/usr/bin/Orthanc", "/usr/local/sbin/Orthanc", "/usr/local/bin/Orthanc"];

const PLUGINS = ["/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins"].map(
  (folder) => `${folder}/libOrthancDicomWeb.so`,
);

/** Where Debian, Ubuntu and a build from source put them. @throws OrthancNotInstalledError that says what to install */
export function findOrthanc(exists: (path: string) => boolean = existsSync): OrthancInstallation {
  const executable = EXECUTABLES.find(exists);
  const dicomwebPlugin = PLUGINS.find(exists);
  if (executable && dicomwebPlugin) return { executable, dicomwebPlugin };
  const missing = executable ? "Orthanc's DICOMweb plugin is" : "Orthanc is";
  throw new OrthancNotInstalledError(
    `${missing} not installed: run "apt-get install orthanc orthanc-dicomweb", or name a running archive in PARSE3D_DICOMWEB_URL.`,
  );
}
