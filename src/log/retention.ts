// Erases content by its age: once it is older than the configuration says, unless a legal hold keeps it.
import { setTimeout as sleep } from "node:timers/promises";
import type { Leaf } from "../core/leaf.ts";
import type { LeafSpan } from "../core/tombstone.ts";
import type { Eraser } from "./eraser.ts";
import type { ErasureJournal, Hold } from "./erasure-journal.ts";
import { LogError } from "./errors.ts";
import type { SealedLog } from "./sealed-log.ts";

const DAY_MS = 86_400_000;
/** Writers' clocks may differ: the search for old records goes on until leaves are younger than this beyond the limit. */
const CLOCK_SKEW_MS = DAY_MS;
/** Spans of one tombstone; more are left to the next one. */
const MAX_SPANS = 20_000;
/** How often the log is looked through. */
const EVERY_MS: number = 3_600_000;

export interface RetentionOptions {
  readonly days: number;
  readonly log: SealedLog;
  readonly journal: ErasureJournal;
  readonly eraser: Eraser;
  readonly clock?: () => number;
  readonly everyMs?: number;
  readonly onError?: (error: LogError) => void;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #clock: () => number;
  #erased = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  /** Records erased since the start. */
  get erased(): number {
    return this.#erased;
  }

  /** Completes what was begun, then erases what has become too old. Returns how many records that were. */
  async step(): Promise<number> {
    const { journal, eraser, days } = this.#options;
    let records = 0;
    for (const done of await eraser.resume("retention")) {
      eraser.finish(done.erasure);
      records += done.records;
    }
    for (;;) {
      const holds = journal.inForce();
      const spans = await this.#old(holds);
      if (spans.length === 0) break;
      const done = await eraser.retire(spans, { legalBasis: `retention of ${days} days`, holds });
      eraser.finish(done.erasure);
      records += done.records;
    }
    this.#erased += records;
    return records;
  }

  /** Steps until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.step();
      } catch (cause) {
        const error =
          cause instanceof LogError
            ? cause
            : new LogError("log.write-failed", "could not erase by age", { cause });
        if (!signal.aborted) this.#options.onError?.(error);
      }
      await sleep(this.#options.everyMs ?? EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Exchanges that are old enough, not erased by an earlier run, and not held. Acts stay: they say what was done. */
  async #old(holds: readonly Hold[]): Promise<LeafSpan[]> {
    const { log, journal, days } = this.#options;
    const limitMs = this.#clock() - days * DAY_MS;
    const found: [number, number][] = [];
    for (const [from, to] of gaps(journal.retired()))
      for await (const { index, leaf } of log.leaves(from, to)) {
        const timeMs = Date.parse(leaf.time);
        if (timeMs > limitMs + CLOCK_SKEW_MS) return found;
        if (timeMs >= limitMs || leaf.bytes === undefined || leaf.kind === "act" || isHeld(leaf, holds))
          continue;
        const last = found.at(-1);
        if (last?.[1] === index) last[1] = index + 1;
        else if (found.length === MAX_SPANS) return found;
        else found.push([index, index + 1]);
      }
    return found;
  }
}

/** What lies between spans, to the end of the log. */
function gaps(spans: readonly LeafSpan[]): LeafSpan[] {
  const between: LeafSpan[] = [];
  let next = 0;
  for (const [from, to] of spans) {
    if (from > next) between.push([next, from]);
    next = to;
  }
  return [...between, [next, Number.MAX_SAFE_INTEGER]];
}

function isHeld({ account, exchange }: Leaf, holds: readonly Hold[]): boolean {
  return holds.some(
    (hold) => hold.account === account && (hold.exchange === null || hold.exchange === exchange),
  );
}
