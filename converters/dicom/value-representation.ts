/** A value representation of PS3.5 section 6.2. */
export type Vr =
  | "AE"
  | "AS"
  | "AT"
  | "CS"
  | "DA"
  | "DS"
  | "DT"
  | "FD"
  | "FL"
  | "IS"
  | "LO"
  | "LT"
  | "OB"
  | "OD"
  | "OF"
  | "OL"
  | "OV"
  | "OW"
  | "PN"
  | "SH"
  | "SL"
  | "SQ"
  | "SS"
  | "ST"
  | "SV"
  | "TM"
  | "UC"
  | "UI"
  | "UL"
  | "UN"
  | "UR"
  | "US"
  | "UT"
  | "UV";

const ALL: readonly Vr[] = [
  ...(["AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV"] as const),
  ...(["OW", "PN", "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV"] as const),
];

/** VRs whose explicit header has two reserved bytes and a 32-bit length (PS3.5 table 7.1-1). */
const LONG: ReadonlySet<Vr> = new Set([
  ...(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"] as const),
]);

const BY_CODE: ReadonlyMap<number, Vr> = new Map(ALL.map((vr) => [(vr.charCodeAt(0) << 8) | vr.charCodeAt(1), vr]));
const BY_NAME: ReadonlyMap<string, Vr> = new Map(ALL.map((vr) => [vr, vr]));

/** The VR whose two letters are the bytes `first` and `second`, if there is one. */
export function vrOfBytes(first: number, second: number): Vr | undefined {
  return BY_CODE.get((first << 8) | second);
}

export function vrOfName(name: string): Vr | undefined {
  return BY_NAME.get(name);
}

export function hasLongHeader(vr: Vr): boolean {
  return LONG.has(vr);
}
