// What has come of an answer and not yet gone to the client: the end that is held back, and backpressure.
import type { ServerResponse } from "node:http";
import type { UpstreamHead } from "./headers.ts";

/** Bytes that may wait for the disk or for a slow client before the upstream is told to pause. */
const MAX_WAITING_BYTES = 256 * 1024;
/** How long a stream's final event may wait for the upstream to end; then it goes, and only HTTP's own end waits. */
const TERMINAL_HOLD_MS = 1_000;
/**
 * Head and body up to this go out as one string of bytes, for which Node makes one call of the system from its stack;
 * for head and buffer it builds a list and a request object, which costs 6 us more.
 */
const MAX_STRING_BYTES = 12 * 1024;

/** Who writes the answer. */
export interface AnswerOwner {
  /** The client takes bytes again. */
  drained(): void;
}

export class Answer {
  readonly #response: ServerResponse;
  readonly #owner: AnswerOwner;
  headSent = false;
  /** Handed to Node, which sends it with the first bytes of the body, or when told to. */
  #headWaits = false;
  /** Received and not yet written, oldest first. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Since when the newest waiting chunk has been held back as the answer's end; null: it may go. */
  #heldSinceMs: number | null = null;
  /** Since when the client takes nothing; null: it does. */
  #blockedSinceMs: number | null = null;

  constructor(response: ServerResponse, owner: AnswerOwner) {
    this.#response = response;
    this.#owner = owner;
  }

  /** `isEnd`: nothing comes after this chunk, as far as one can tell. It is held until the record is durable. */
  take(chunk: Buffer, isEnd: boolean): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#heldSinceMs = isEnd ? performance.now() : null;
  }

  /** Upstream should send no more until some of what waits has gone. */
  get isFull(): boolean {
    return this.#waitingBytes > MAX_WAITING_BYTES || this.#blockedSinceMs !== null;
  }

  get isBlocked(): boolean {
    return this.#blockedSinceMs !== null;
  }

  /** All of it has come before anything has gone: it goes with its end, in one write. */
  get isWhole(): boolean {
    return !this.headSent && this.#heldSinceMs !== null && this.#waiting.length === 1;
  }

  /** The client has taken nothing for too long. */
  isStuck(nowMs: number, timeoutMs: number): boolean {
    return this.#blockedSinceMs !== null && nowMs - this.#blockedSinceMs > timeoutMs;
  }

  /** True when the held end has waited for its upstream long enough, and may go. */
  letsGo(nowMs: number): boolean {
    if (this.#heldSinceMs === null || nowMs - this.#heldSinceMs <= TERMINAL_HOLD_MS) return false;
    this.#heldSinceMs = null;
    return true;
  }

  /** Throws what Node throws of a head that it could not write unchanged. */
  sendHead(head: UpstreamHead): void {
    this.#response.writeHead(head.status, head.message, head.forClient);
    this.headSent = true;
    this.#headWaits = true;
  }

  /** Writes all that waits but a held end; the head goes even where nothing waits. */
  pass(): void {
    const held = this.#heldSinceMs === null ? undefined : this.#waiting.pop();
    const bytes = joined(this.#waiting);
    this.#waiting = held === undefined ? [] : [held];
    this.#waitingBytes = held?.length ?? 0;
    if (bytes !== null) {
      if (!this.#response.write(bytes)) this.#block();
    } else if (this.#headWaits) this.#response.flushHeaders();
    this.#headWaits = false;
  }

  /** What the upstream said before it failed is the client's, but for a held end. */
  passBeforeCut(): void {
    if (this.#heldSinceMs !== null) this.#waiting.pop();
    const bytes = joined(this.#waiting);
    if (bytes !== null) this.#response.write(bytes);
  }

  /** `isSized`: the head told the length, so that nothing is to be framed. */
  end(isSized: boolean): void {
    const bytes = joined(this.#waiting);
    if (bytes === null) this.#response.end();
    else if (!isSized || bytes.length > MAX_STRING_BYTES) this.#response.end(bytes);
    else this.#response.end(bytes.toString("latin1"), "latin1");
  }

  /** Lets what waits go. */
  drop(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #block(): void {
    this.#blockedSinceMs = performance.now();
    this.#response.once("drain", () => {
      this.#blockedSinceMs = null;
      this.#owner.drained();
    });
  }
}

function joined(chunks: Buffer[]): Buffer | null {
  const [only] = chunks;
  if (only === undefined) return null;
  return chunks.length === 1 ? only : Buffer.concat(chunks);
}
