// What a child process of `adyton serve` is to its supervisor: something that starts, counts, listens and ends.
import type { Logger } from "pino";
import type { Config } from "../../config/schema.ts";
import type { Counters, ToChild } from "./messages.ts";

export interface PartContext {
  /** Unique among the processes; also the name of its segment writer, where it has one. */
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  /** Ends the process at once, so that the supervisor starts a fresh one. */
  readonly fail: (error: unknown) => never;
}

export interface Part {
  /** What it tells when it is ready: an address, a size. */
  readonly detail: string;
  readonly counters?: () => Counters;
  readonly hear?: (message: ToChild) => void;
  /** Ends in good order: nothing acknowledged is lost. */
  close(): Promise<void>;
}
