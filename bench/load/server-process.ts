import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "#server/orthanc/index.ts";
import { type ApiClient, createApiClient } from "../../test/fixtures/api-client.ts";

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly api: ApiClient;
}

/** The server as a user starts it, in a process of its own, when it answers. */
export async function startServerProcess(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const port = await freePort();
  const command = join(import.meta.dirname, "../../bin/parse3d");
  const child = spawn(command, ["serve"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PARSE3D_PORT: String(port),
      PARSE3D_LOG_LEVEL: "error",
      ...environment,
    },
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error("the server did not start");
    const answers = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) break;
    await sleep(100);
  }
  return {
    pid: child.pid ?? -1,
    api: createApiClient(url),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
