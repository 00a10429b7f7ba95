// Counts what a budget allows, exactly: in this process, in the process above several workers, or in Redis.
import type { Redis } from "ioredis";
import { RedisWindow } from "./redis-window.ts";
import { SharedWindow, type WindowChannel } from "./shared-windows.ts";
import { type Count, SlidingWindow } from "./sliding-window.ts";

/** How one counter is kept. */
export interface CounterOptions {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  /** Null: this machine alone. */
  readonly redis: Redis | null;
  /** To the process above, which counts for several workers; null: this process counts for itself. */
  readonly channel: WindowChannel | null;
  /** What stands in while Redis is gone; null: an error, which the caller turns into a decision. */
  readonly local: { readonly limit: number; readonly windowSeconds: number } | null;
  readonly now: () => number;
}

type Window = SlidingWindow | SharedWindow | RedisWindow;

/**
 * No stretch of `windowSeconds` sees more than the limit over all workers and machines that share the counter: taking
 * is one step where it is kept. What was taken is free again when the window has passed, at most a twentieth later.
 */
export class BudgetCounter {
  readonly #window: Window;
  readonly #standIn: SlidingWindow | null;

  constructor({ redis, channel, local, now, ...kept }: CounterOptions) {
    if (redis !== null) this.#window = new RedisWindow(redis, kept);
    else if (channel !== null) this.#window = new SharedWindow(channel, kept);
    else this.#window = new SlidingWindow({ ...kept, now });
    this.#standIn = redis !== null && local !== null ? new SlidingWindow({ ...local, now }) : null;
  }

  /** Takes; an amount beyond the limit is not taken. @throws Error when the counter can't be reached */
  async take(key: string, amount: number): Promise<Count> {
    return await this.#either((window) => window.take(key, amount));
  }

  /** Takes what was spent already, beyond the limit if need be. @throws Error when the counter can't be reached */
  async charge(key: string, amount: number): Promise<Count> {
    return await this.#either((window) => window.charge(key, amount));
  }

  /** Gives back what was taken for something that then did not happen. Failing, it errs to the customer's cost of one. */
  giveBack(key: string, amount: number): void {
    this.#either(async (window) => await window.giveBack(key, amount)).catch(() => {});
  }

  async #either<T>(step: (window: Window) => T | Promise<T>): Promise<T> {
    try {
      return await step(this.#window);
    } catch (error) {
      if (this.#standIn === null) throw error;
      return await step(this.#standIn);
    }
  }
}
