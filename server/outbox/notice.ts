import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Database } from "#server/database/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { priorities } from "#server/jobs/index.ts";
import type { Logger } from "../logger.ts";
import type { OutboxItem } from "./outbox-table.ts";
import { type OutboxOptions, startOutbox } from "./start-outbox.ts";

export const SIGNATURE_HEADER = "Parse3D-Signature";
export const DELIVERY_HEADER = "Parse3D-Delivery";

export interface NoticeOptions extends Pick<OutboxOptions, "tries" | "firstDelayMs" | "timeoutMs" | "pollMs"> {
  readonly db: Database;
  readonly logger: Logger;
  readonly url: string;
  readonly secret: string;
  /** Whether UIDs are told. */
  readonly uids: boolean;
}

const Content = z.object({
  state: z.enum(["succeeded", "failed", "cancelled"]),
  priority: z.int().min(0).max(2),
  ruleId: z.string().nullish(),
  finishedAt: z.string(),
  code: z.string().nullish(),
  series: z.object({ studyInstanceUid: z.string(), seriesInstanceUid: z.string() }).nullish(),
  stored: z.array(z.string()),
});

/** Posts a signed notice of each job that has ended, until disposed. */
export function sendNotices({ url, secret, uids, ...options }: NoticeOptions): AsyncDisposable {
  return startOutbox({
    ...options,
    kind: "notice",
    deliver: async (item, { signal }) => {
      const body = noticeOf(item, uids);
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "User-Agent": "parse3d",
          [DELIVERY_HEADER]: item.id,
          [SIGNATURE_HEADER]: signatureOf(body, secret, Math.floor(Date.now() / 1000)),
        },
        body,
        redirect: "error",
        signal,
      });
      await response.body?.cancel();
      if (!response.ok) {
        throw new InvalidRequestError(`What PARSE3D_NOTIFY_URL names answers ${response.status}: see its log.`);
      }
    },
  });
}

/** What is told: no word of a prompt, a finding or a patient. */
function noticeOf({ id, jobId, content }: OutboxItem, uids: boolean): string {
  const { state, priority, ruleId, finishedAt, code, series, stored } = Content.parse(content);
  return JSON.stringify({
    id,
    event: `job.${state}`,
    jobId,
    state,
    priority: priorities[priority],
    ...(ruleId && { ruleId }),
    finishedAt: new Date(finishedAt).toISOString(),
    ...(code && { code }),
    ...(uids && series && { ...series, stored }),
  });
}

/** `t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds since 1970, a full stop, and the body as it was sent. */
export function signatureOf(body: string, secret: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

/**
 * As a receiver does it; an old signature may be somebody's who overheard it.
 * @param nowSeconds since 1970
 */
export function isSignedBy(
  header: string,
  body: string,
  secret: string,
  nowSeconds: number,
  maxAgeSeconds = 300,
): boolean {
  const seconds = Number(/^t=(\d+),v1=[0-9a-f]{64}$/.exec(header)?.[1]);
  if (!(Math.abs(nowSeconds - seconds) <= maxAgeSeconds)) return false;
  return timingSafeEqual(Buffer.from(header), Buffer.from(signatureOf(body, secret, seconds)));
}
