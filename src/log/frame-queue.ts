// Frames that wait for the disk, encoded side by side in large buffers so that a flush is one batch.
import { Buffer } from "node:buffer";
import { LogError } from "./errors.ts";

/** Bytes of records that may wait for the disk; beyond it `append` refuses. */
const MAX_QUEUED_BYTES: number = 128 * 1024 * 1024;
const BUFFER_BYTES: number = 1024 * 1024;
/** Idle buffers kept for reuse. */
const MAX_FREE_BUFFERS = 4;

/** Told what became of a record: null when it is on disk. Must not throw. */
export type Settled = (error: LogError | null) => void;

/** What one flush writes. */
export interface Flush {
  /** The frames, one after the other. */
  readonly bytes: Buffer;
  /** Where each ends in `bytes`. */
  readonly ends: readonly number[];
  /** Tells everyone who waits for one of the records, and gives the buffer back. */
  settle(error: LogError | null): void;
}

/** A buffer that is being filled. */
export class Filling {
  readonly buffer: Buffer;
  readonly ends: number[] = [];
  /** Whom to tell, in the order of the records. Not promises: a request would pay for three of them a record. */
  readonly waiting: Settled[] = [];
  #durable: Promise<void> | null = null;
  /** When its first record came. */
  readonly sinceMs: number;
  used = 0;

  constructor(buffer: Buffer, sinceMs: number) {
    this.buffer = buffer;
    this.sinceMs = sinceMs;
  }

  /** The same as a promise, which the records share. */
  get durable(): Promise<void> {
    if (this.#durable === null) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch(() => {}); // a caller that does not wait is told by onFailure
      this.waiting.push((error) => (error === null ? resolve() : reject(error)));
      this.#durable = promise;
    }
    return this.#durable;
  }

  /** Makes room for a frame; returns where it begins. */
  take(length: number): number {
    const at = this.used;
    this.used += length;
    this.ends.push(this.used);
    return at;
  }
}

export class FrameQueue {
  readonly #stopwatch: () => number;
  readonly #waiting: Filling[] = [];
  readonly #free: Buffer[] = [];
  #bytes = 0;
  #records = 0;

  /** `stopwatch`: milliseconds that never go back. */
  constructor(stopwatch: () => number) {
    this.#stopwatch = stopwatch;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Records that no flush has taken yet. */
  get records(): number {
    return this.#records;
  }

  /** How long the oldest of them has waited; 0 when there is none. */
  get waitedMs(): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : this.#stopwatch() - oldest.sinceMs;
  }

  /** A buffer with room for a frame of `length` bytes: take it and fill it before the next flush. Throws `log.queue-full`. */
  reserve(length: number): Filling {
    if (this.#bytes + length > MAX_QUEUED_BYTES)
      throw new LogError(
        "log.queue-full",
        `expected at most ${MAX_QUEUED_BYTES} bytes waiting, got ${this.#bytes + length}`,
      );
    let filling = this.#waiting.at(-1);
    if (filling === undefined || filling.used + length > filling.buffer.length) {
      const reused = length <= BUFFER_BYTES ? this.#free.pop() : undefined;
      filling = new Filling(
        reused ?? Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, length)),
        this.#stopwatch(),
      );
      this.#waiting.push(filling);
    }
    this.#bytes += length;
    this.#records += 1;
    return filling;
  }

  /** Takes what was queued first, or null. */
  take(): Flush | null {
    const filling = this.#waiting.shift();
    if (filling === undefined) return null;
    this.#records -= filling.ends.length;
    const settle = (error: LogError | null): void => {
      this.#bytes -= filling.used;
      if (filling.buffer.length === BUFFER_BYTES && this.#free.length < MAX_FREE_BUFFERS)
        this.#free.push(filling.buffer);
      for (const tell of filling.waiting) tell(error);
    };
    return { bytes: filling.buffer, ends: filling.ends, settle };
  }

  rejectAll(error: LogError): void {
    for (let flush = this.take(); flush !== null; flush = this.take()) flush.settle(error);
  }
}
