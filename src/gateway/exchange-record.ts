// The two records of one exchange: what goes into them, when they may be written, and what became of them.
import type { CloseFigures, HeaderPairs } from "../core/record.ts";
import type { GatewayErrorCode } from "./errors.ts";
import type { UpstreamHead } from "./headers.ts";
import { KeptAnswer } from "./kept-answer.ts";
import { closeDraft, type Identity, openDraft, type Recorded } from "./recorder.ts";
import type { Shared } from "./shared.ts";

const NO_HEADERS: HeaderPairs = [];

export interface Ending {
  readonly outcome: CloseFigures["outcome"];
  /** Adyton's own error, when it answered in the upstream's place. */
  readonly code: GatewayErrorCode | null;
  /** Status that the client got; 0 when it got none. */
  readonly status: number;
  readonly head: UpstreamHead | null;
}

export class ExchangeRecord {
  readonly #shared: Shared;
  readonly #identity: Identity;
  readonly #startedMs: number;
  /** The answer's body as far as the log keeps it. */
  readonly kept: KeptAnswer;
  /** null until it is known what became of the open record. */
  opened: Recorded | null = null;
  #firstByteMs: number | null = null;

  constructor(shared: Shared, identity: Identity, startedMs: number) {
    this.#shared = shared;
    this.#identity = identity;
    this.#startedMs = startedMs;
    this.kept = new KeptAnswer(shared.limits.maxStoredResponseBytes, shared.metrics);
  }

  /** Appends the open record; `then` is called once, later. */
  open(body: Uint8Array, headers: HeaderPairs, then: (recorded: Recorded) => void): void {
    const { recorder, metrics } = this.#shared;
    recorder.append(openDraft(this.#identity, body, headers), (recorded) => {
      this.opened = recorded;
      if (recorded === "unrecorded") metrics.unrecorded += 1;
      then(recorded);
    });
  }

  firstByteSent(): void {
    this.#firstByteMs = rounded(performance.now() - this.#startedMs);
    this.#shared.metrics.firstByte.observe(this.#firstByteMs);
  }

  /**
   * Appends the close record; `then` is called once, later. An answer that goes out in one piece is closed before its
   * first byte leaves: its `firstByteMs` is then the time at which the upstream had answered.
   */
  close({ outcome, code, status, head }: Ending, then: (recorded: Recorded) => void): void {
    const { recorder, metrics } = this.#shared;
    const latencyMs = rounded(performance.now() - this.#startedMs);
    const figures: CloseFigures = {
      status,
      outcome,
      code,
      latencyMs,
      firstByteMs: this.#firstByteMs ?? (head === null ? null : latencyMs),
      responseBytes: this.kept.receivedBytes,
      truncated: this.kept.truncated,
      format: "wire",
    };
    this.#count(outcome, latencyMs);
    const opened = this.opened;
    // An open that never reached the log has no close: the log holds nothing half-true.
    if (opened === "unrecorded" || opened === "failed") {
      queueMicrotask(() => then(opened));
      return;
    }
    const draft = closeDraft(this.#identity, this.kept.bytes(), head?.pairs ?? NO_HEADERS, figures);
    recorder.append(draft, (recorded) => {
      // Counted once an exchange: an open that was not recorded has counted already.
      if (recorded === "unrecorded" && this.opened === "durable") metrics.unrecorded += 1;
      then(recorded);
    });
  }

  #count(outcome: CloseFigures["outcome"], latencyMs: number): void {
    const { metrics } = this.#shared;
    metrics.responseBytes += this.kept.receivedBytes;
    metrics.latency.observe(latencyMs);
    if (outcome === "complete") metrics.complete += 1;
    else if (outcome === "aborted") metrics.aborted += 1;
    else if (outcome === "refused") metrics.refused += 1;
    else metrics.upstreamFailed += 1;
  }
}

/** Microsecond precision is more than the figures mean. */
function rounded(valueMs: number): number {
  return Math.round(valueMs * 1_000) / 1_000;
}
