import { writeFileSync } from "node:fs";
import { rulesFileSchema } from "#server/routing/index.ts";

const file = new URL("../docs/rules.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(rulesFileSchema(), null, 2)}\n`);
