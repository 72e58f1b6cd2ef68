import { createServer, type Server } from "node:net";
import { ConfigError } from "../config-error.ts";

/** @throws ConfigError where the address or the port cannot be had */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host.replace(/[[\]]/g, ""), resolve);
  try {
    await promise;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    throw new ConfigError([adviceFor(code, host, port)]);
  } finally {
    server.off("error", reject);
  }
}

/** Before work is done for a server that could not listen in the end. @throws as `listen` does */
export async function refuseTakenPort(host: string, port: number): Promise<void> {
  const probe = createServer();
  await listen(probe, host, port);
  const { promise, resolve } = Promise.withResolvers<void>();
  probe.close(() => resolve());
  await promise;
}

function adviceFor(code: string, host: string, port: number): string {
  const failed = `cannot listen on port ${port} of ${host} (${code})`;
  switch (code) {
    case "EADDRINUSE":
      return `PARSE3D_PORT: ${failed}: another program does, maybe a Parse3D that runs already; stop that one, or choose another port, like PARSE3D_PORT=${port < 65535 ? port + 1 : port - 1}`;
    case "EACCES":
      return `PARSE3D_PORT: ${failed}: ports below 1024 are not for everybody; choose another`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `PARSE3D_HOST: ${failed}: this machine has no such address; choose another`;
    default:
      return `PARSE3D_HOST, PARSE3D_PORT: ${failed}; choose another`;
  }
}
