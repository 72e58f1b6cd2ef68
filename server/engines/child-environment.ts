/**
 * What bin/parse3d gives a server so that its memory goes back to the system. A network's process asks for the same arrays again
 * and again: it took a quarter longer with it.
 */
const OF_SERVERS = {
  GLIBC_TUNABLES: /:?glibc\.malloc\.mmap_threshold=\d+/,
  NODE_OPTIONS: /--max-semi-space-size=\d+ ?/,
} as const;

/**
 * The environment of processes that run onnxruntime. From 1.30 on it reports to its maker over the network, and keeps logs of
 * that in the folder of temporary files, where it is not told not to: nothing of a study leaves this machine unasked.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: passed on whole, but for what is the server's own
  const own = process.env;
  const without = Object.entries(OF_SERVERS).map(([name, setting]) => [name, own[name]?.replace(setting, "")]);
  return { ...own, ...Object.fromEntries(without), ORT_DISABLE_TELEMETRY: "1" };
}
