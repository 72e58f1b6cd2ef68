/**
 * DICOM dates and times as seconds, to tell moments apart (PS3.5 section 6.2): seconds since 1970 as if all were UTC, for
 * the dates and times of one file share a time zone unless they say so.
 */

const SECONDS_PER_DAY = 86_400;

/** Of DA and TM; undefined where one is absent or malformed. The old forms with "." and ":" are read too. */
export function momentOf(date: string | undefined, time: string | undefined): number | undefined {
  const day = startOfDay(date?.replaceAll(".", ""));
  const seconds = secondsOfDay(time);
  return day === undefined || seconds === undefined ? undefined : day + seconds;
}

/**
 * Of DT.
 *
 * @param zone Timezone Offset From UTC (0008,0201) of the file, "+0100": a time with a zone of its own is moved to this one.
 */
export function momentOfDateTime(text: string | undefined, zone?: string): number | undefined {
  const [, date, time, own] = /^(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+-]\d{4})?$/.exec(text ?? "") ?? [];
  const moment = momentOf(date, time);
  const [from, to] = [offsetSeconds(own), offsetSeconds(zone)];
  if (moment === undefined || from === undefined || to === undefined) return moment;
  return moment - from + to;
}

/** Of TM: HH, HHMM or HHMMSS, with a fraction. */
export function secondsOfDay(time: string | undefined): number | undefined {
  const [, h, m = "0", s = "0"] =
    /^(\d\d)(?:(\d\d)(?:(\d\d(?:\.\d{1,6})?))?)?$/.exec(time?.replaceAll(":", "") ?? "") ?? [];
  if (h === undefined) return undefined;
  const seconds = Number(h) * 3600 + Number(m) * 60 + Number(s);
  // A minute may have a second 60.
  return Number(h) < 24 && Number(m) < 60 && Number(s) < 61 ? seconds : undefined;
}

/** The last time of day, at or before `moment`, at which a clock showed `time`. */
export function lastOccurrence(time: number, moment: number): number {
  const today = Math.floor(moment / SECONDS_PER_DAY) * SECONDS_PER_DAY + time;
  return today <= moment ? today : today - SECONDS_PER_DAY;
}

function startOfDay(date: string | undefined): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(date ?? "") ?? [];
  if (year === undefined) return undefined;
  const start = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return start.getUTCMonth() === Number(month) - 1 && start.getUTCDate() === Number(day)
    ? start.getTime() / 1000
    : undefined;
}

function offsetSeconds(zone: string | undefined): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone ?? "") ?? [];
  if (sign === undefined) return undefined;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}
