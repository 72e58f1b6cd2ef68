import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Makes a server that can be stopped in order.
 * @returns a function that stops listening and resolves when every request has been answered, or after `graceMs` at the
 *   latest. Connections that no request uses are closed at once; Node itself keeps those that never sent one.
 */
export function closable(server: Server): (graceMs: number) => Promise<void> {
  const requests = new Map<Socket, number>();
  let closing = false;
  const closeIdle = () => {
    for (const [socket, count] of requests) if (count === 0) socket.destroy();
  };

  server.on("connection", (socket) => {
    requests.set(socket, 0);
    socket.once("close", () => requests.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once("close", () => {
      if (requests.has(socket)) requests.set(socket, (requests.get(socket) ?? 1) - 1);
      if (closing) closeIdle();
    });
  });

  return async (graceMs) => {
    closing = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    closeIdle();
    await promise;
    clearTimeout(force);
  };
}
