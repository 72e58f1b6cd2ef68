// Whether node_modules holds what package-lock.json asks for on this platform: exit code 0 or 1. Runs on Node 18, so it
// is JavaScript.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2];

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}

const wanted = packagesOf("package-lock.json");
const installed = packagesOf("node_modules/.package-lock.json");
const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";

/** Whether a package is one of a set of builds, and the one for this platform. */
function isThisPlatforms({ os, cpu, libc: libraries }) {
  if (os === undefined && cpu === undefined) return false;
  const fits = (list, here) => list === undefined || (list.includes(here) && !list.includes(`!${here}`));
  return fits(os, process.platform) && fits(cpu, process.arch) && fits(libraries, libc);
}

function isInstalled([path, locked]) {
  if (path === "") return true;
  const found = installed[path];
  if (found === undefined) return locked.optional === true && !isThisPlatforms(locked);
  return (
    found.version === locked.version &&
    found.integrity === locked.integrity &&
    existsSync(join(root, path, "package.json"))
  );
}

process.exit(wanted && installed && Object.entries(wanted).every(isInstalled) ? 0 : 1);
