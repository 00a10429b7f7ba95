// Sliding windows that the workers of one machine share: the process above them keeps them, and answers over Node's channel.
import cluster, { type Worker } from "node:cluster";
import { type Count, SlidingWindow } from "./sliding-window.ts";

type Step = "take" | "charge" | "giveBack";

interface Asked {
  readonly type: "budget-asked";
  readonly number: number;
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly step: Step;
  readonly key: string;
  readonly amount: number;
}

interface Told {
  readonly type: "budget-told";
  readonly number: number;
  readonly count: Count | null;
}

interface Waiting {
  readonly resolve: (count: Count | null) => void;
  readonly timer: NodeJS.Timeout;
}

/** The process above may be busy; longer than this it counts as gone. */
const TIMEOUT_MS = 5000;

/** Called once in the process above the workers: keeps the windows that they share. */
export function keepWindowsForWorkers(): void {
  const windows = new Map<string, SlidingWindow>();
  cluster.on("message", (worker: Worker, message: unknown) => {
    if (!isOf(message, "budget-asked")) return;
    // Only our own workers write here, all with one configuration.
    const { number, name, limit, windowSeconds, step, key, amount } = message as Asked;
    const window = windows.get(name) ?? new SlidingWindow({ limit, windowSeconds, now: Date.now });
    windows.set(name, window);
    const count = window[step](key, amount) ?? null;
    if (worker.isConnected()) worker.send({ type: "budget-told", number, count } satisfies Told, () => {});
  });
}

/** One of these windows as a worker sees it. */
export class SharedWindow {
  readonly #channel: WindowChannel;
  readonly #kept: { readonly name: string; readonly limit: number; readonly windowSeconds: number };

  constructor(channel: WindowChannel, kept: { name: string; limit: number; windowSeconds: number }) {
    this.#channel = channel;
    this.#kept = kept;
  }

  /** As `SlidingWindow.take`. @throws Error when the process above does not answer */
  async take(key: string, amount: number): Promise<Count> {
    return await this.#demand("take", key, amount);
  }

  /** As `SlidingWindow.charge`. @throws Error when the process above does not answer */
  async charge(key: string, amount: number): Promise<Count> {
    return await this.#demand("charge", key, amount);
  }

  /** As `SlidingWindow.giveBack`. @throws Error when the process above does not answer */
  async giveBack(key: string, amount: number): Promise<void> {
    await this.#ask("giveBack", key, amount);
  }

  async #demand(step: Step, key: string, amount: number): Promise<Count> {
    const count = await this.#ask(step, key, amount);
    if (count === null) throw new TypeError(`expected a count for ${step}, got none`);
    return count;
  }

  async #ask(step: Step, key: string, amount: number): Promise<Count | null> {
    return await this.#channel.ask({ ...this.#kept, step, key, amount });
  }
}

/** A worker's questions that wait for an answer; one for all its windows. */
export class WindowChannel {
  readonly #waiting: Map<number, Waiting> = new Map();
  #last = 0;

  constructor() {
    process.on("message", (message) => {
      if (!isOf(message, "budget-told")) return;
      const { number, count } = message as Told; // only the process above writes here
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (waiting === undefined) return;
      clearTimeout(waiting.timer);
      waiting.resolve(count);
    });
  }

  async ask(question: Omit<Asked, "type" | "number">): Promise<Count | null> {
    this.#last += 1;
    const number = this.#last;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(number);
        reject(new Error(`expected a count within ${TIMEOUT_MS} ms, got none`));
      }, TIMEOUT_MS);
      this.#waiting.set(number, { resolve, timer });
      process.send?.({ type: "budget-asked", number, ...question } satisfies Asked, (error: Error | null) => {
        if (error === null || !this.#waiting.delete(number)) return;
        clearTimeout(timer);
        reject(error);
      });
    });
  }
}

function isOf(message: unknown, type: string): boolean {
  return typeof message === "object" && message !== null && "type" in message && message.type === type;
}
