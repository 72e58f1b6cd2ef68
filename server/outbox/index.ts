export {
  DELIVERY_HEADER,
  isSignedBy,
  type NoticeOptions,
  SIGNATURE_HEADER,
  sendNotices,
  signatureOf,
} from "./notice.ts";
export { forgetUnwantedNotices, wantNotices } from "./outbox-table.ts";
export { checkDestination, type DestinationParts, sendOn } from "./send-on.ts";
