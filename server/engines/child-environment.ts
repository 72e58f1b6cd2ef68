/**
 * The environment of processes that run onnxruntime. From 1.30 on it reports to its maker over the network, and keeps logs of
 * that in the folder of temporary files, where it is not told not to: nothing of a study leaves this machine unasked.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: passed on whole, nothing is read from it
  return { ...process.env, ORT_DISABLE_TELEMETRY: "1" };
}
