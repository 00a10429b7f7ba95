// Holds requests of accounts under the measure `slow` until it is their turn, within a bound: paced, not turned away.
import { setTimeout as sleep } from "node:timers/promises";
import type { Admission } from "../state/budgets.ts";

export interface PacingOptions {
  /** Takes one turn of the verdict's pace, or says when there is one. Never throws. */
  readonly take: (verdict: string) => Promise<Admission>;
  /** Longest a request is held, milliseconds; 0: none is held. */
  readonly maxWaitMs: number;
  /** Time between two turns, milliseconds. */
  readonly intervalMs: number;
  readonly now: () => number;
}

interface Line {
  waiting: number;
  /** Settles when the last in line has had its turn or has gone. */
  last: Promise<unknown>;
}

/**
 * Requests held in one worker, over all verdicts. A held request holds a connection and nothing else: no place among
 * exchanges in flight, and no body that was read. What others need is left alone.
 */
const MAX_HELD = 100;

export class Pacing {
  readonly #options: PacingOptions;
  readonly #lines: Map<string, Line> = new Map();
  readonly #stopping: AbortController = new AbortController();
  #held = 0;

  constructor(options: PacingOptions) {
    this.#options = options;
  }

  /** Requests that are held now. */
  get held(): number {
    return this.#held;
  }

  /**
   * Whether the request may go on, when it is its turn. Who comes first goes first; who can't have a turn in time is
   * told so at once. `isGone` is asked before a turn is taken, so that nobody's turn is spent on a client who left.
   * After `stop` nobody has a turn.
   */
  async turn(verdict: string, isGone: () => boolean): Promise<Admission> {
    const { take, maxWaitMs, intervalMs, now } = this.#options;
    const deadlineMs = now() + maxWaitMs;
    if (!this.#lines.has(verdict)) {
      const first = await take(verdict);
      if (first.admitted || first.why === "unavailable" || maxWaitMs === 0) return first;
      if (first.retryAfterMs > maxWaitMs) return first;
    }
    // Others may have come while the counter was asked.
    const waiting = this.#lines.get(verdict)?.waiting ?? 0;
    if (this.#held >= MAX_HELD || waiting * intervalMs >= maxWaitMs) return refusedFor(maxWaitMs);
    return await this.#inLine(verdict, { deadlineMs, isGone });
  }

  /** Sends away at once everybody who is held. */
  stop(): void {
    this.#stopping.abort();
  }

  async #inLine(verdict: string, request: { deadlineMs: number; isGone: () => boolean }): Promise<Admission> {
    const line = this.#lines.get(verdict) ?? { waiting: 0, last: Promise.resolve() };
    this.#lines.set(verdict, line);
    line.waiting += 1;
    this.#held += 1;
    const turn = line.last.then(() => this.#wait(verdict, request));
    line.last = turn;
    try {
      return await turn;
    } finally {
      this.#held -= 1;
      line.waiting -= 1;
      if (line.waiting === 0) this.#lines.delete(verdict);
    }
  }

  async #wait(
    verdict: string,
    { deadlineMs, isGone }: { deadlineMs: number; isGone: () => boolean },
  ): Promise<Admission> {
    const { take, now } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      if (signal.aborted || isGone()) return refusedFor(0);
      const admission = await take(verdict);
      if (admission.admitted || admission.why === "unavailable") return admission;
      const waitMs = admission.retryAfterMs;
      if (now() + waitMs > deadlineMs) return admission;
      await sleep(waitMs, undefined, { ref: false, signal }).catch(() => {}); // the loop sees that it stops
    }
  }
}

function refusedFor(afterMs: number): Admission {
  const retryAfterSeconds = Math.max(1, Math.ceil(afterMs / 1000));
  return { admitted: false, why: "spent", retryAfterSeconds, retryAfterMs: afterMs, headers: [] };
}
