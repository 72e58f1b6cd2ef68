/**
 * A data set to write, by PS3.6 keyword. Numbers for IS, DS and the binary numbers, 8 upper-case hex digits for AT, a
 * list where there are several values, a list of data sets for a sequence, bytes for OB and OW. "" and [] write an
 * element without a value (type 2); undefined writes nothing.
 */
export interface Elements {
  readonly [keyword: string]:
    | string
    | number
    | readonly (string | number)[]
    | readonly Elements[]
    | Uint8Array
    | undefined;
}
