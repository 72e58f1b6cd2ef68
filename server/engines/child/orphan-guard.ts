import { workerData } from "node:worker_threads";

/**
 * A thread that ends the process when its server is gone. "disconnect" alone says so only between two runs of the network,
 * which may lie half a minute apart.
 */
const server: number = workerData;
setInterval(() => {
  if (process.ppid !== server) process.kill(process.pid, "SIGKILL");
}, 500);
