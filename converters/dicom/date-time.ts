/** A moment as DICOM's DA, TM and DT (PS3.5 section 6.2), in UTC: the same moment is the same bytes on every machine. */
export function dicomDateTime(at: Date): { readonly date: string; readonly time: string; readonly dateTime: string } {
  const digits = at.toISOString().replaceAll(/[-:TZ]/g, "");
  const date = digits.slice(0, 8);
  const time = digits.slice(8);
  return { date, time, dateTime: `${date}${time}+0000` };
}
