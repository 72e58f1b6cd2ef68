/** What bin/parse3d gives a server so that its memory goes back to the system: with it a network took a quarter longer. */
const OF_SERVERS = {
  GLIBC_TUNABLES: /:?glibc\.malloc\.mmap_threshold=393216/,
  NODE_OPTIONS: /--max-semi-space-size=\d+ ?/,
} as const;

/**
 * What a network gives back it asks for again with the next slice, and pages that went to the system meanwhile have to be found
 * and cleared anew: of a look at a slice that hands on 111 MB of features, that took a twentieth.
 */
const OF_NETWORKS = `glibc.malloc.mmap_threshold=${32 * 2 ** 20}:glibc.malloc.trim_threshold=${256 * 2 ** 20}`;

/**
 * The environment of processes that run onnxruntime. From 1.30 on it reports to its maker over the network, and keeps logs of
 * that in the folder of temporary files, where it is not told not to: nothing of a study leaves this machine unasked.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: passed on whole, but for what is the server's own
  const own = process.env;
  const without = Object.entries(OF_SERVERS).map(([name, setting]) => [name, own[name]?.replace(setting, "")]);
  const environment = { ...own, ...Object.fromEntries(without) };
  // The last one counts: a user's own.
  const tunables = [OF_NETWORKS, environment.GLIBC_TUNABLES].filter(Boolean).join(":");
  return { ...environment, GLIBC_TUNABLES: tunables, ORT_DISABLE_TELEMETRY: "1" };
}
