import type { ProviderStatus } from "../engine-options.ts";
import type { WireError } from "../wire-error.ts";

/** A tensor's numbers, as threads hand them to one another. */
export interface PlainTensor {
  readonly type: "float32" | "int64";
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

type PlainTensors = Readonly<Record<string, PlainTensor>>;

/** What is asked of the thread that holds a bundle's graphs. All but `close` is answered. */
export type ToDevice =
  | { readonly kind: "open" }
  | { readonly kind: "text"; readonly inputs: PlainTensors }
  | { readonly kind: "look"; readonly images: Float32Array; readonly slices: number; readonly questions: number }
  | { readonly kind: "ask"; readonly view: number; readonly textTokens: PlainTensor; readonly seed?: number }
  | { readonly kind: "close"; readonly view: number };

interface Opened {
  readonly provider: ProviderStatus;
  readonly looksOnce: boolean;
  readonly samples: boolean;
}

export type FromDevice =
  | ({ readonly kind: "answer"; readonly to: "open" } & Opened)
  | { readonly kind: "answer"; readonly to: "text"; readonly outputs: PlainTensors }
  | { readonly kind: "answer"; readonly to: "ask"; readonly outputs: PlainTensors }
  | { readonly kind: "answer"; readonly to: "look"; readonly view: number }
  /** `isShortage`: memory ran short; less at once may fit. */
  | { readonly kind: "failed"; readonly error: WireError; readonly isShortage: boolean };
