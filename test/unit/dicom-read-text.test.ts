import { expect, test } from "vitest";
import { readPart10 } from "#converters/dicom/index.ts";
import { element, part10, rawElement } from "../fixtures/dicom-file.ts";

function nameIn(characterSet: string, bytes: Uint8Array): unknown {
  const padded = bytes.length % 2 === 0 ? bytes : Uint8Array.from([...bytes, 0x20]);
  const file = part10([element("SpecificCharacterSet", characterSet), rawElement(0x00100010, "PN", padded)]);
  return readPart10(file).dataSet.PatientName?.[0];
}

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

// Names and bytes of PS3.5 annexes H (Japanese), I (Korean), J (Chinese) and of PS3.3 section C.12.1.1.2's sets.
test.each([
  ["", latin1("Smith^John"), "Smith^John"],
  ["ISO_IR 100", latin1("Buc^J\xe9r\xf4me"), "Buc^Jérôme"],
  ["ISO_IR 126", latin1("\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2"), "Διονυσιος"],
  ["ISO_IR 144", latin1("\xbb\xee\xda\x63\x65\xdc\xd1\x79\x70\xd3"), "Люкceмбypг"],
  ["ISO_IR 192", new Uint8Array(Buffer.from("Wang^XiaoDong=王^小東=", "utf8")), "Wang^XiaoDong=王^小東="],
  ["GB18030", latin1("Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab="), "Wang^XiaoDong=王^小东="],
  [
    "\\ISO 2022 IR 87",
    latin1("Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"),
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
  ],
  [
    "ISO 2022 IR 13\\ISO 2022 IR 87",
    latin1("\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J"),
    "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
  ],
  [
    "\\ISO 2022 IR 149",
    latin1("Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"),
    "Hong^Gildong=洪^吉洞=홍^길동",
  ],
])("names in character set %j", (characterSet, bytes, name) => {
  expect(nameIn(characterSet, bytes)).toBe(name);
});

test("an unknown character set is read as UTF-8 where it is that, else as Latin-1", () => {
  expect(nameIn("ISO_IR 999", new Uint8Array(Buffer.from("Jérôme", "utf8")))).toBe("Jérôme");
  expect(nameIn("ISO_IR 999", latin1("J\xe9r\xf4me"))).toBe("Jérôme");
});

test("a second byte that looks like a backslash does not split a text", () => {
  // 0x5C is the second byte of the Shift_JIS and GBK form of some characters.
  expect(nameIn("GB18030", Uint8Array.of(0x81, 0x5c))).toBe(
    new TextDecoder("gb18030").decode(Uint8Array.of(0x81, 0x5c)),
  );
});
