// Frames that wait for the disk, encoded side by side in large buffers so that a flush is one batch.
import { Buffer } from "node:buffer";
import { LogError } from "./errors.ts";

/** Bytes of records that may wait for the disk; beyond it `append` refuses. */
const MAX_QUEUED_BYTES: number = 128 * 1024 * 1024;
const BUFFER_BYTES: number = 1024 * 1024;
/** Idle buffers kept for reuse. */
const MAX_FREE_BUFFERS = 4;

/** What one flush writes. */
export interface Flush {
  /** The frames, one after the other. */
  readonly bytes: Buffer;
  /** Where each ends in `bytes`. */
  readonly ends: readonly number[];
  /** Resolves (null) or rejects the promise that the records share, and gives the buffer back. */
  settle(error: LogError | null): void;
}

class Filling {
  readonly buffer: Buffer;
  readonly ends: number[] = [];
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: LogError) => void;
  used = 0;

  constructor(buffer: Buffer) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // a caller that does not wait is told by onFailure
    this.buffer = buffer;
    this.durable = promise;
    this.resolve = resolve;
    this.reject = reject;
  }
}

export class FrameQueue {
  readonly #waiting: Filling[] = [];
  readonly #free: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Room for a frame of `length` bytes at `buffer[at…]`, to be filled before the next flush. Throws `log.queue-full`. */
  reserve(length: number): { buffer: Buffer; at: number; durable: Promise<void> } {
    if (this.#bytes + length > MAX_QUEUED_BYTES)
      throw new LogError(
        "log.queue-full",
        `expected at most ${MAX_QUEUED_BYTES} bytes waiting, got ${this.#bytes + length}`,
      );
    let filling = this.#waiting.at(-1);
    if (filling === undefined || filling.used + length > filling.buffer.length) {
      const reused = length <= BUFFER_BYTES ? this.#free.pop() : undefined;
      filling = new Filling(reused ?? Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, length)));
      this.#waiting.push(filling);
    }
    const at = filling.used;
    filling.used += length;
    filling.ends.push(filling.used);
    this.#bytes += length;
    return { buffer: filling.buffer, at, durable: filling.durable };
  }

  /** Takes what was queued first, or null. */
  take(): Flush | null {
    const filling = this.#waiting.shift();
    if (filling === undefined) return null;
    const settle = (error: LogError | null): void => {
      this.#bytes -= filling.used;
      if (filling.buffer.length === BUFFER_BYTES && this.#free.length < MAX_FREE_BUFFERS)
        this.#free.push(filling.buffer);
      if (error === null) filling.resolve();
      else filling.reject(error);
    };
    return { bytes: filling.buffer, ends: filling.ends, settle };
  }

  rejectAll(error: LogError): void {
    for (let flush = this.take(); flush !== null; flush = this.take()) flush.settle(error);
  }
}
