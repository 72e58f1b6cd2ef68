/** One measured figure, beside the same of a peer that did the same work in the same run. */
export interface Figure {
  readonly suite: string;
  readonly name: string;
  readonly unit: string;
  /** Median over the runs. */
  readonly ours: number;
  /** Median over the runs. */
  readonly peer?: number;
  readonly peerName?: string;
  /** ours / peer. */
  readonly ratio?: number;
  readonly runs: number;
  /** Of ours: (largest - smallest) / median. */
  readonly spread: number;
}

/** What a suite hands its figures to, as they come. */
export interface Report {
  figure(figure: Omit<Figure, "suite">): void;
  /** Progress, for people only. */
  note(text: string): void;
}

/** What a module in bench/suites exports. */
export interface Suite {
  /** Programs whose versions belong to the figures: name -> command that prints it. */
  readonly programs?: Readonly<Record<string, readonly [command: string, ...arguments_: string[]]>>;
  run(report: Report, options: SuiteOptions): Promise<void>;
}

/** What the command line asks of a suite. */
export interface SuiteOptions {
  /** How many series `load` routes. */
  readonly series?: number;
}

/** The figure of samples that were taken in turns with the peer's. */
export function compare(
  name: string,
  unit: string,
  ours: readonly number[],
  peer?: { readonly name: string; readonly samples: readonly number[] },
): Omit<Figure, "suite"> {
  const middle = median(ours);
  const common = {
    name,
    unit,
    ours: middle,
    runs: ours.length,
    spread: middle === 0 ? 0 : (Math.max(...ours) - Math.min(...ours)) / middle,
  };
  if (!peer) return common;
  const theirs = median(peer.samples);
  return { ...common, peer: theirs, peerName: peer.name, ratio: middle / theirs };
}

/** The figure that so large a fraction of the samples is not above. */
export function percentile(
  name: string,
  unit: string,
  samples: readonly number[],
  fraction: number,
): Omit<Figure, "suite"> {
  const sorted = samples.toSorted((a, b) => a - b);
  const ours = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
  return { name, unit, ours, runs: samples.length, spread: ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / ours };
}

export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError("no samples");
  const sorted = samples.toSorted((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  const lower = Math.floor((sorted.length - 1) / 2);
  return ((sorted[lower] ?? 0) + (sorted[upper] ?? 0)) / 2;
}
