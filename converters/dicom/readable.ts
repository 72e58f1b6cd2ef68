import { UnsupportedImageError } from "../errors.ts";
import { InstanceFault } from "./image-frame.ts";

/** What `read` returns. @throws InstanceFault where what it reads is not DICOM, or cut short */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof UnsupportedImageError)) throw cause;
    throw new InstanceFault("unreadable-instance", `cannot be read (${cause.reason})`, cause.message, { cause });
  }
}
