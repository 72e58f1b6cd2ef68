import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** The public faces of the folders that other code may build on. */
const FACES = [
  ...readdirSync(join(root, "converters"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `converters/${name}/index.ts`),
  "models/index.ts",
  "server/contract/index.ts",
].toSorted();

/** Every name that a face exports, types as "type Name". */
function exportsOf(face: string): readonly string[] {
  const source = readFileSync(join(root, face), "utf8").replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, "");
  const statements = source.split(";").map((statement) => statement.trim());
  return statements
    .filter((statement) => statement !== "")
    .flatMap((statement) => {
      const [, type, names] = /^export (type )?\{(.*)\} from "[^"]+"$/s.exec(statement) ?? [];
      if (names === undefined) throw new Error(`${face} holds more than named exports: ${statement.slice(0, 80)}`);
      return names
        .split(",")
        .map((name) => name.trim().replace(/^.* as /, ""))
        .filter((name) => name !== "")
        .map((name) => (type && !name.startsWith("type ") ? `type ${name}` : name));
    })
    .toSorted();
}

test("every folder of converters/ has a face", () => {
  expect(FACES.filter((face) => !existsSync(join(root, face)))).toEqual([]);
});

test.each(FACES)("%s exports what it did, unless that is changed on purpose", (face) => {
  expect(exportsOf(face)).toMatchSnapshot();
});
