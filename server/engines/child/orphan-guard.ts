import { Socket } from "node:net";

/**
 * A thread that ends the process when whoever started it is gone: then standard input, on which nothing is ever sent, is
 * closed. "disconnect" alone says so only between two runs of the network, which may lie half a minute apart.
 */
const end = () => process.kill(process.pid, "SIGKILL");
new Socket({ fd: 0, readable: true, writable: false }).on("end", end).on("error", end).resume();
