// What the processes of `adyton serve` say to each other over Node's own channel between parent and child.

/** The parts of a running installation, each a process of its own. */
export type Role = "gateway" | "ledger" | "analyst" | "sample";

/** Where a part stands; shown in the console and in `/health`. */
export interface ProcessStatus {
  readonly name: string;
  readonly role: Role;
  readonly pid: number | null;
  readonly state: "starting" | "ready" | "waiting-to-restart" | "stopping" | "stopped";
  readonly startedAtMs: number | null;
  readonly restarts: number;
  /** Why it ended last time, or null if it never did. */
  readonly lastExit: string | null;
}

/** Counters of one process, flat: metric name (with labels in Prometheus form) to value. */
export type Counters = Readonly<Record<string, number>>;

export type FromChild =
  | { readonly type: "ready"; readonly detail: string }
  | { readonly type: "counters"; readonly counters: Counters };

/** To the analyst only: what the supervisor knows of everybody. */
export interface StatusMessage {
  readonly type: "status";
  readonly processes: readonly ProcessStatus[];
  readonly counters: Readonly<Record<string, Counters>>;
}

export type ToChild = { readonly type: "stop" } | StatusMessage;

/** Environment variables by which a child learns who it is. */
export const ROLE_VARIABLE = "ADYTON_ROLE";
export const NAME_VARIABLE = "ADYTON_PROCESS";
/** The whole configuration as JSON, read and checked once by the supervisor. Holds references to secrets, no secrets. */
export const CONFIG_VARIABLE = "ADYTON_PARSED_CONFIG";
