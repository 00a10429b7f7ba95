// How the log and its clocks fared: gaps, restarts, interrupted exchanges, steps backward in time. For `health.json`.
import type { Leaf } from "../core/leaf.ts";

/** Writers named in the record, at most: each gateway worker is one. */
const MAX_WRITERS = 10_000;

interface WriterHealth {
  incarnation: number;
  restarts: number;
  lastMs: number;
}

export interface HealthFigures {
  readonly leaves: number;
  readonly exchangesOpened: number;
  readonly exchangesInterrupted: number;
  readonly writers: number;
  /** Times a writing process began again, over all writers. */
  readonly restarts: number;
  /** Sequence numbers that the disk refused (never acknowledged) or that were lost, as the log itself declares. */
  readonly recordsRefused: number;
  readonly recordsLost: number;
  readonly clock: {
    readonly source: string;
    readonly zone: "UTC";
    readonly resolutionMs: 1;
    /** How often a writer's clock read less than for its record before, and the largest such step. */
    readonly backwardSteps: number;
    readonly largestBackwardMs: number;
  };
  readonly firstTime: string | null;
  readonly lastTime: string | null;
}

export class LogHealth {
  readonly #writers: Map<string, WriterHealth> = new Map();
  #leaves = 0;
  #opened = 0;
  #interrupted = 0;
  #restarts = 0;
  #refused = 0;
  #lost = 0;
  #backwardSteps = 0;
  #largestBackwardMs = 0;
  #first: string | null = null;
  #last: string | null = null;

  /** Leaves in the order of the log. */
  see(leaf: Leaf): void {
    this.#leaves += 1;
    if (leaf.kind === "open") this.#opened += 1;
    if (leaf.kind === "interrupted") this.#interrupted += 1;
    if (leaf.act === "log.write-failed") this.#refused += leaf.gap ?? 0;
    if (leaf.act === "log.damaged") this.#lost += leaf.gap ?? 0;
    if (this.#first === null || leaf.time < this.#first) this.#first = leaf.time;
    if (this.#last === null || leaf.time > this.#last) this.#last = leaf.time;
    // Interrupted leaves and declared gaps repeat another frame's place: the writer's clock says nothing there.
    if (leaf.commit !== undefined) this.#clock(leaf);
  }

  #clock({ writer, incarnation, time }: Leaf): void {
    const timeMs = Date.parse(time);
    const known = this.#writers.get(writer);
    if (known === undefined) {
      if (this.#writers.size < MAX_WRITERS)
        this.#writers.set(writer, { incarnation, restarts: 0, lastMs: timeMs });
      return;
    }
    if (known.incarnation !== incarnation) {
      known.incarnation = incarnation;
      this.#restarts += 1;
    }
    if (timeMs < known.lastMs) {
      this.#backwardSteps += 1;
      this.#largestBackwardMs = Math.max(this.#largestBackwardMs, known.lastMs - timeMs);
    }
    known.lastMs = timeMs;
  }

  figures(): HealthFigures {
    return {
      leaves: this.#leaves,
      exchangesOpened: this.#opened,
      exchangesInterrupted: this.#interrupted,
      writers: this.#writers.size,
      restarts: this.#restarts,
      recordsRefused: this.#refused,
      recordsLost: this.#lost,
      clock: {
        source: "the operating system's clock of the machine that wrote each record",
        zone: "UTC",
        resolutionMs: 1,
        backwardSteps: this.#backwardSteps,
        largestBackwardMs: this.#largestBackwardMs,
      },
      firstTime: this.#first,
      lastTime: this.#last,
    };
  }
}
