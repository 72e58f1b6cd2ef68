/** Installs the system packages for the purposes named (all of them, where none is): bin/with-node24 bin/setup.ts [PURPOSE...] */
import { ensureSystemPackages, type Purpose } from "#server/demo/system-packages.ts";

const purposes: readonly Purpose[] = ["archive", "demo-studies", "tests"];
const asked = process.argv.slice(2);
const unknown = asked.filter((word) => !purposes.some((purpose) => purpose === word));
const say = (line: string) => process.stderr.write(`parse3d: ${line}\n`);

if (unknown.length > 0) {
  say(`unknown purpose ${unknown.join(", ")}. There are: ${purposes.join(", ")}.`);
  process.exit(2);
}
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupt.abort());
try {
  await ensureSystemPackages(asked.length > 0 ? purposes.filter((purpose) => asked.includes(purpose)) : purposes, {
    say,
    signal: interrupt.signal,
  });
  say("all system packages are there");
} catch (error) {
  say(interrupt.signal.aborted ? "interrupted" : error instanceof Error ? error.message : String(error));
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
}
