// Counts attempts in fixed windows, so that nobody guesses their way in. Bounded in memory whoever calls.

export interface RateLimitOptions {
  readonly windowMs: number;
  /** Attempts that one caller has in a window. */
  readonly each: number;
  /** Attempts that all callers have together. */
  readonly all: number;
  readonly clock: () => number;
}

/** Callers kept apart in one window; when more come, only the common limit holds. */
const MAX_CALLERS = 10_000;

export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #counts = new Map<string, number>();
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Counts an attempt and says whether it is within the limits. */
  admit(caller: string): boolean {
    const { windowMs, each, all, clock } = this.#options;
    const nowMs = clock();
    if (nowMs - this.#windowStartMs >= windowMs) {
      this.#windowStartMs = nowMs;
      this.#counts.clear();
      this.#total = 0;
    }
    this.#total += 1;
    const count = (this.#counts.get(caller) ?? 0) + 1;
    if (this.#counts.has(caller) || this.#counts.size < MAX_CALLERS) this.#counts.set(caller, count);
    return count <= each && this.#total <= all;
  }
}
