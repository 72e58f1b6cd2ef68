/** L, a and b as RecommendedDisplayCIELabValue holds them (PS3.3 section C.10.7.1.1): 0 to 65535 each. */
export type CielabValue = readonly [number, number, number];

const HUES = 24;
const LIGHTNESSES = [66, 50, 80, 38];
const CHROMA = 58;

/** A colour for each label: always the same one for the same label, and another one where two would share it. */
export function segmentColours(labels: readonly string[]): readonly CielabValue[] {
  const taken = new Set<number>();
  return labels.map((label) => {
    let place = hash(label.trim().toLowerCase()) % PALETTE.length;
    for (let tries = 0; taken.has(place) && tries < PALETTE.length; tries++) place = (place + 7) % PALETTE.length;
    taken.add(place);
    return PALETTE[place]!;
  });
}

const PALETTE: readonly CielabValue[] = LIGHTNESSES.flatMap((lightness) =>
  Array.from({ length: HUES }, (_, n) => {
    const hue = (2 * Math.PI * n) / HUES;
    return cielabValue(lightness, CHROMA * Math.cos(hue), CHROMA * Math.sin(hue));
  }),
);

/** L from 0 to 100 and a, b from -128 to 127, each spread over 16 bits. */
function cielabValue(lightness: number, a: number, b: number): CielabValue {
  return [Math.round((lightness / 100) * 65535), Math.round((a + 128) * 257), Math.round((b + 128) * 257)];
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193);
  return value >>> 0;
}

/** The same colour as red, green and blue of sRGB, 0 to 255 each (D65 to D65: white is 255, 255, 255). */
export function rgbOfCielab([l, a, b]: CielabValue): readonly [number, number, number] {
  const fy = ((l / 65535) * 100 + 16) / 116;
  const x = 0.95047 * unfold(fy + (a / 257 - 128) / 500);
  const y = unfold(fy);
  const z = 1.08883 * unfold(fy - (b / 257 - 128) / 200);
  return [
    companded(3.2404542 * x - 1.5371385 * y - 0.4985314 * z),
    companded(-0.969266 * x + 1.8760108 * y + 0.041556 * z),
    companded(0.0556434 * x - 0.2040259 * y + 1.0572252 * z),
  ];
}

function unfold(f: number): number {
  return f > 6 / 29 ? f ** 3 : 3 * (6 / 29) ** 2 * (f - 4 / 29);
}

function companded(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
