// The part of an answer that its record will hold: everything up to the log's limit, in the buffers it came in.
import type { GatewayMetrics } from "./metrics.ts";

const NO_BYTES = Buffer.alloc(0);

export class KeptAnswer {
  readonly #maxBytes: number;
  readonly #metrics: GatewayMetrics;
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  /** Bytes received, kept or not. */
  receivedBytes = 0;

  constructor(maxBytes: number, metrics: GatewayMetrics) {
    this.#maxBytes = maxBytes;
    this.#metrics = metrics;
  }

  get truncated(): boolean {
    return this.#keptBytes < this.receivedBytes;
  }

  add(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    const room = this.#maxBytes - this.#keptBytes;
    if (room <= 0) return;
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#chunks.push(part);
    this.#keptBytes += part.length;
    this.#metrics.bufferedBytes += part.length;
  }

  /** The kept bytes as one buffer; a single chunk is not copied. */
  bytes(): Buffer {
    const [only = NO_BYTES] = this.#chunks;
    return this.#chunks.length <= 1 ? only : Buffer.concat(this.#chunks, this.#keptBytes);
  }

  /** Lets the memory go. Called once. */
  release(): void {
    this.#chunks = [];
    this.#metrics.bufferedBytes -= this.#keptBytes;
  }
}
