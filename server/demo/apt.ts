import { setTimeout as delay } from "node:timers/promises";
import type { Host } from "./host.ts";

interface AptOptions {
  readonly host: Host;
  say(line: string): void;
  readonly signal: AbortSignal;
}

/**
 * Installs Debian packages without questions, without starting the services that they bring, and waiting for another
 * apt that runs. Puts back files of packages that are installed already. Its exit code.
 */
export async function installWithApt(names: readonly string[], { host, say, signal }: AptOptions): Promise<number> {
  const apt = (...args: string[]) =>
    host.run(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...quietly, ...args], { signal });
  using _ = withholdServices(host);
  for (let attempt = 1; (await apt("update")) !== 0 && !signal.aborted; attempt++) {
    if (attempt === 3) {
      say("apt-get update failed: going on with the package lists that are there");
      break;
    }
    await delay(5000 * attempt, undefined, { signal });
  }
  if (signal.aborted) return 130;
  const status = await apt("install", "--no-install-recommends", "--reinstall", ...keepExamples, ...names);
  if (status === 0 && names.includes("orthanc")) {
    await host.run(["update-rc.d", "orthanc", "disable"], { signal });
    if (host.has("/run/systemd/system")) await host.run(["systemctl", "stop", "orthanc"], { signal });
  }
  return status;
}

const quietly = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"];

/** Container images tell dpkg to leave out /usr/share/doc, which is where one of the demo studies lies. */
const keepExamples = ["-o", "Dpkg::Options::=--path-include=/usr/share/doc/invesalius-examples/*"];

const policyProgram = "/usr/sbin/policy-rc.d";

/** While it lives, Debian's maintainer scripts start no service (exit code 101: the policy forbids it). */
function withholdServices(host: Host): Disposable {
  if (host.has(policyProgram)) return { [Symbol.dispose]() {} };
  host.writeProgram(
    policyProgram,
    "#!/bin/sh\n# Written by parse3d while it installs packages; can be removed.\nexit 101\n",
  );
  return { [Symbol.dispose]: () => host.remove(policyProgram) };
}
