// Whether node_modules holds what package-lock.json asks for: exit code 0 or 1. Runs on Node 18, so it is JavaScript.
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

/** An optional package that was left out is one for another platform. */
function isInstalled([path, { version, integrity, optional }]) {
  const found = installed[path];
  if (found === undefined) return path === "" || optional === true;
  return found.version === version && found.integrity === integrity && existsSync(join(root, path, "package.json"));
}

process.exit(wanted && installed && Object.entries(wanted).every(isInstalled) ? 0 : 1);
