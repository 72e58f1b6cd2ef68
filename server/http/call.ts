import type { Logger } from "../logger.ts";

/** What a handler knows of the request besides its input. */
export interface Call {
  readonly requestId: string;
  /** Who asks: the same token is the same owner. */
  readonly owner: string;
  /** Aborts when the client hangs up or the server stops. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** What middleware leaves on a request for those behind it. */
export interface RequestState extends Call {
  owner: string;
  /** The contract's name of the route, once it is known. */
  route?: string;
  /** The id of the job or of the rule that it is about. */
  subject?: string;
}
