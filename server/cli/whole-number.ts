import { InvalidArgumentError } from "commander";

/** An option's whole number, 0 or more. @throws what commander reports as wrong usage */
export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("It is a whole number, 0 or more.");
  return Number(text);
}
