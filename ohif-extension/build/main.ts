/** Builds the extension: bin/with-node24 ohif-extension/build/main.ts */
import { build } from "./build.ts";
import { distFolder } from "./ensure-plugins.ts";

for (const { file, bytes } of await build(distFolder)) {
  process.stdout.write(`${file.padEnd(20)} ${(bytes / 1000).toFixed(1).padStart(7)} kB\n`);
}
