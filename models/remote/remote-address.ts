import { z } from "zod";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Where a model is computed by somebody else: https, or http. It holds no user, password or query: a key is the
 * environment's, never a manifest's.
 */
export const RemoteAddress = z
  .url({ protocol: /^https?$/, error: "is not an http or https address" })
  .refine((text) => {
    const { username, password, search, hash } = new URL(text);
    return username === "" && password === "" && search === "" && hash === "";
  }, "holds a user, a password, a query or a fragment: keys belong into the environment");

/** Whether what is said to this address can be overheard on a network. */
export function isOverheard(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !LOOPBACK.test(hostname);
}

/** How patient a remote model's engine is. */
export const Patience = {
  /** From a request's first byte to the answer's last, seconds. */
  timeoutSeconds: z.number().positive().max(7200),
  /** How often a request is sent at most, where the server was busy or the connection broke. */
  attempts: z.int().min(1).max(20),
} as const;
