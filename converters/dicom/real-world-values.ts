import { type DataSet, firstNumber, firstText, items, numbers, type Value } from "./data-set.ts";
import type { ModalityLutModule } from "./modules.ts";

/** How stored values become values of a known unit (Real World Value Mapping, PS3.3 section C.7.6.16.2.11). */
export interface RealWorldMapping {
  /** UCUM: "mm2/s", "Bq/ml", "{SUVbw}g/ml". */
  readonly unit: string;
  readonly rescale: ModalityLutModule;
  /** Where the mapping is a table: rescaled stored values are looked up in it. */
  readonly table?: LookupTable;
}

/** values[n] is that of stored value first + n; what lies beyond takes the value at the nearer end. */
export interface LookupTable {
  readonly first: number;
  readonly values: ArrayLike<number>;
}

/** No grey image has more stored values. */
const MAX_ENTRIES = 1 << 16;

/**
 * The mappings of an image or of one frame, in the order of the header; those that are malformed, have no unit, or are for
 * a part of the stored values only are left out.
 *
 * @param dataSet with its functional groups put beside each other
 */
export function realWorldMappings(dataSet: DataSet): readonly RealWorldMapping[] {
  const sequence = dataSet.RealWorldValueMappingSequence;
  if (sequence === undefined) return [];
  const mappings = KNOWN.get(sequence) ?? readMappings(dataSet);
  KNOWN.set(sequence, mappings);
  return mappings;
}

/** Frames that share a sequence share what was read of it: tables may be as large as an image. */
const KNOWN = new WeakMap<readonly Value[], readonly RealWorldMapping[]>();

function readMappings(dataSet: DataSet): readonly RealWorldMapping[] {
  const signed = firstNumber(dataSet, "PixelRepresentation") === 1;
  return items(dataSet, "RealWorldValueMappingSequence").flatMap((item) => {
    const [units = {}] = items(item, "MeasurementUnitsCodeSequence");
    const unit = firstText(units, "CodeValue");
    if (unit === undefined || !UNIT.test(unit) || firstText(units, "CodingSchemeDesignator") !== "UCUM") return [];
    const [slope, intercept] = [firstNumber(item, "RealWorldValueSlope"), firstNumber(item, "RealWorldValueIntercept")];
    if (slope !== undefined && intercept !== undefined) {
      const usable = Number.isFinite(slope) && Number.isFinite(intercept) && slope !== 0;
      return usable && coversAll(dataSet, item, signed) ? [{ unit, rescale: rescaleOf(slope, intercept) }] : [];
    }
    const table = lookupTable(item, signed);
    return table === undefined ? [] : [{ unit, rescale: rescaleOf(1, 0), table }];
  });
}

/** What UCUM writes units with; a unit goes into a note, free text must not. */
const UNIT = /^[\w%.^*/{}[\]'()+-]{1,16}$/;

/** Frames of one image all have one mapping to a unit, or that unit is not what the image holds. */
export function commonUnit(
  mappings: readonly (readonly RealWorldMapping[])[],
  accepts: (unit: string) => boolean = () => true,
): string | undefined {
  const [first = []] = mappings;
  return first.find(
    ({ unit }) => accepts(unit) && mappings.every((own) => own.some((mapping) => mapping.unit === unit)),
  )?.unit;
}

function rescaleOf(RescaleSlope: number, RescaleIntercept: number): ModalityLutModule {
  return { RescaleSlope, RescaleIntercept, RescaleType: undefined };
}

/** Some images map one part of their values with one slope and the rest with another; such are not read. */
function coversAll(dataSet: DataSet, item: DataSet, signed: boolean): boolean {
  const sameUnit = items(dataSet, "RealWorldValueMappingSequence").filter(
    (other) => unitOf(other) === unitOf(item) && rangeOf(other, signed).join() !== rangeOf(item, signed).join(),
  );
  return sameUnit.length === 0;
}

function unitOf(item: DataSet): string | undefined {
  const [units = {}] = items(item, "MeasurementUnitsCodeSequence");
  return firstText(units, "CodeValue");
}

function rangeOf(item: DataSet, signed: boolean): readonly (number | undefined)[] {
  return ["RealWorldValueFirstValueMapped", "RealWorldValueLastValueMapped"].map((keyword) => {
    const value = firstNumber(item, keyword);
    // US or SS: in implicit VR only Pixel Representation tells which.
    return value !== undefined && signed && value > 0x7fff ? value - 0x10000 : value;
  });
}

function lookupTable(item: DataSet, signed: boolean): LookupTable | undefined {
  const [first, last] = rangeOf(item, signed);
  const values = numbers(item, "RealWorldValueLUTData");
  if (first === undefined || last === undefined || values.length === 0 || values.length > MAX_ENTRIES) return undefined;
  return values.length === last - first + 1 && values.every(Number.isFinite)
    ? { first, values: Float64Array.from(values) }
    : undefined;
}
