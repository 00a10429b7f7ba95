// What an export needs of the rest of Adyton, and what whoever exports chooses.
import type { FileHandle } from "node:fs/promises";
import type { ActRecorder } from "../core/acts.ts";
import type { State } from "../state/state.ts";
import type { Sealing } from "./sealed-entry.ts";
import type { Withheld } from "./stage-records.ts";

/** A timestamp that the log keeps, over a checkpoint of its own. */
export interface KeptStamp {
  readonly size: number;
  /** The stamped note, whole. */
  readonly note: string;
  /** RFC 3161 response or token, DER. */
  readonly token: Uint8Array;
  /** Root that it was verified with, DER. */
  readonly root: Uint8Array;
}

export interface ExportOptions extends Sealing {
  readonly state: State;
  readonly caseId: string;
  /** Where the bundle goes; it must not exist. What is staged lies beside it. */
  readonly out: string;
  /** An open file that the bundle goes into instead. */
  readonly into?: FileHandle;
  readonly by: string;
  /** Name and version of the software. */
  readonly tool: string;
  /** What the export's custody entry names as its authority; default: the case's. */
  readonly authority?: string | undefined;
  readonly record: ActRecorder;
  readonly pseudonymOf: (account: string) => string;
  /** C2SP tlog-policy of this installation. */
  readonly policy: string;
  /** Timestamps of the log, the smaller tree first. */
  readonly stamps: readonly KeptStamp[];
  /** Public key of the log, as people compare it. */
  readonly key: string;
  readonly withheld: Withheld;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** age public keys; none: the bundle is in clear. */
  readonly recipients: readonly string[];
  /** Leaves out what only people and other tools read: report, timeline, graph, scripts. */
  readonly recordsOnly: boolean;
  readonly now: () => number;
  readonly onProgress?: (what: string, done: number, total: number) => void;
}
