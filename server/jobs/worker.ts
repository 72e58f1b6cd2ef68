import type { ModelCard } from "#models/index.ts";

/** What a machine computes with. */
export interface WorkerDevice {
  /** Where networks are to be computed: auto, cpu, cuda. */
  readonly executionProvider: string;
  /** Logical cores. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Product names, where the system tells of any. */
  readonly gpus: readonly string[];
}

/** What one process offers to do. */
export interface WorkerOffer {
  readonly version: string;
  readonly device: WorkerDevice;
  /** Those that it answers with. */
  readonly models: readonly ModelCard[];
}

/** One process that does jobs, as it last told. */
export interface WorkerState extends WorkerOffer {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
  /** Its last heartbeat. */
  readonly seenAt: Date;
  /** Jobs that it runs at the same time at most, and those that it runs now. */
  readonly concurrency: number;
  readonly running: number;
  /** Why it takes no job now, in plain words. */
  readonly holdsBack?: string;
}

/** Why no job is taken now, in plain words; undefined where one may be. */
export type RoomCheck = () => Promise<string | undefined>;
