import { installWithApt } from "./apt.ts";
import { MissingSystemPackagesError } from "./errors.ts";
import { type Host, thisHost } from "./host.ts";

/** What system packages are wanted for: the demo's DICOM archive, its studies, the tests' validators and peers. */
export type Purpose = "archive" | "demo-studies" | "tests";

interface SystemPackage {
  /** Its name in Debian and Ubuntu. */
  readonly name: string;
  readonly purpose: Purpose;
  readonly use: string;
  /** What shows that it is there, installed by whatever means: an absolute path (with `*` and `{a,b}`) or a program. */
  readonly evidence: string;
}

const systemPackages: readonly SystemPackage[] = [
  { name: "orthanc", purpose: "archive", use: "the DICOM archive", evidence: "Orthanc" },
  {
    name: "orthanc-dicomweb",
    purpose: "archive",
    use: "its DICOMweb interface",
    evidence: "/usr/{share/orthanc/plugins,lib/orthanc,local/share/orthanc/plugins}/libOrthancDicomWeb.so",
  },
  {
    name: "mricron-data",
    purpose: "demo-studies",
    use: "the MR head",
    evidence: "/usr/share/mricron/templates/ch2.nii.gz",
  },
  {
    name: "invesalius-examples",
    purpose: "demo-studies",
    use: "the CT head",
    evidence: "/usr/share/doc/invesalius-examples/examples/Cranium.inv3",
  },
  { name: "dicom3tools", purpose: "tests", use: "dciodvfy, which validates DICOM objects", evidence: "dciodvfy" },
  { name: "dcmtk", purpose: "tests", use: "dcmdump, a second reader of DICOM", evidence: "dcmdump" },
  { name: "dcm2niix", purpose: "tests", use: "a second converter from DICOM to NIfTI", evidence: "dcm2niix" },
  {
    name: "postgresql",
    purpose: "tests",
    use: "a PostgreSQL server, for jobs that several servers share",
    evidence: "/usr/lib/postgresql/*/bin/postgres",
  },
  {
    name: "nginx-light",
    purpose: "tests",
    use: "the web server of the viewer's container",
    evidence: "/usr/sbin/nginx",
  },
  {
    name: "chromium",
    purpose: "tests",
    use: "the browser of the viewer's tests",
    evidence: "/usr/bin/chromium",
  },
  {
    name: "python3-venv",
    purpose: "tests",
    use: "checks by Python packages",
    evidence: "/usr/lib/python3*/ensurepip/__init__.py",
  },
];

/** Where Debian puts the demo studies' source images. */
export const demoFiles = {
  mrHead: evidenceOf("mricron-data"),
  ctHead: evidenceOf("invesalius-examples"),
} as const;

/** The system packages that these purposes need and that are not there. */
export function missingPackages(purposes: readonly Purpose[], host: Host): readonly SystemPackage[] {
  return systemPackages.filter((item) => purposes.includes(item.purpose) && !host.has(item.evidence));
}

/**
 * Installs what is missing, as root on Debian or Ubuntu; elsewhere throws MissingSystemPackagesError with the exact command.
 * Where nothing is missing, it only looks.
 * @param options.say progress, a line at a time; apt's own output goes to stderr
 * @throws MissingSystemPackagesError where a package cannot be installed here, or was not found after the installation
 */
export async function ensureSystemPackages(
  purposes: readonly Purpose[],
  { say, signal, host = thisHost }: { say(line: string): void; readonly signal: AbortSignal; readonly host?: Host },
): Promise<void> {
  const missing = missingPackages(purposes, host);
  if (missing.length === 0) return;
  if (!host.isRoot || !host.has("apt-get")) throw missingError(whatToInstall(missing, host), missing);
  say(`installing system packages: ${missing.map(({ name }) => name).join(", ")}`);
  const names = missing.map(({ name }) => name);
  const status = await installWithApt(names, { host, say, signal });
  signal.throwIfAborted();
  const still = missingPackages(purposes, host);
  if (still.length > 0) {
    throw missingError(
      `apt-get could not install ${listed(still)} (exit code ${status}; its message is above). ${whatToInstall(still, host)}`,
      still,
    );
  }
}

function missingError(message: string, packages: readonly SystemPackage[]) {
  return new MissingSystemPackagesError(
    message,
    packages.map(({ name }) => name),
  );
}

function whatToInstall(missing: readonly SystemPackage[], host: Host): string {
  const names = missing.map(({ name }) => name).join(" ");
  const sudo = host.isRoot ? "" : "sudo ";
  const lines = host.has("apt-get")
    ? [
        `Needed system packages: ${listed(missing)}. Install them with:`,
        `  ${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${names}`,
      ]
    : [
        `Needed programs and files, named as Debian's packages: ${listed(missing)}. This system has no apt-get: install`,
        "what it has of them by its own means.",
      ];
  if (missing.some(({ purpose }) => purpose === "archive")) {
    lines.push(
      "Instead of a local Orthanc, any DICOMweb archive will do: set PARSE3D_DICOMWEB_URL to its address.",
      "docker-compose.yml holds one; docs/installation.md tells how to start it.",
    );
  }
  if (missing.some(({ purpose }) => purpose === "demo-studies")) {
    lines.push(
      "The demo's two heads come from Debian's packages alone. Without them, ask about scans of your own:",
      "  bin/parse3d segment SCAN.nii.gz --modality CT --prompt bone -o mask.nii.gz",
      "  PARSE3D_DICOMWEB_URL=ARCHIVE bin/parse3d serve",
    );
  }
  if (missing.some(({ purpose }) => purpose === "tests")) {
    lines.push("`npm run check` needs none of them: it runs lint, types, unit tests and property tests.");
  }
  return lines.join("\n");
}

function listed(packages: readonly SystemPackage[]): string {
  return packages.map(({ name, use }) => `${name} (${use})`).join(", ");
}

function evidenceOf(name: string): string {
  return systemPackages.find((item) => item.name === name)!.evidence;
}
