// The analyst's loop: takes in what is sealed, and looks at it at every tick; one thing at a time.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Finding } from "../../core/finding.ts";
import type { Hunter } from "../hunter.ts";
import type { Pump } from "../pump.ts";

/** Pause when the log has nothing new, milliseconds. */
const IDLE_MS = 250;
/** Pause after a failed step, milliseconds: a full disk or a busy engine should not fill the diagnostics. */
const RETRY_MS = 2_000;

export interface AnalysisOptions {
  readonly pump: Pick<Pump, "step">;
  /** Null: detection is switched off. */
  readonly hunt: Hunter | null;
  /** Keeps findings in the state, and new ones in the log. */
  readonly keep: (findings: readonly Finding[]) => Promise<void>;
  readonly tickMs: number;
  readonly clock: () => number;
  readonly log: Logger;
}

/** Owner of the order in which the store is written and read; a failing step is told, and tried again. */
export class Analysis {
  readonly #options: AnalysisOptions;
  readonly counters: {
    exchangesTaken: number;
    exchangesFailed: number;
    hunts: number;
    huntMs: number;
    failures: number;
  } = {
    exchangesTaken: 0,
    exchangesFailed: 0,
    hunts: 0,
    huntMs: 0,
    failures: 0,
  };
  #turn: Promise<unknown> = Promise.resolve();
  /** Something was taken in since the last hunt. */
  #hasNew = true;
  #huntedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AnalysisOptions) {
    this.#options = options;
  }

  /** Runs until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = IDLE_MS;
      try {
        if (await this.#inTurn(() => this.#take())) pauseMs = 0;
        if (this.#isDue()) await this.hunt();
      } catch (error) {
        this.counters.failures += 1;
        this.#options.log.error({ err: error }, "analysis failed; it is tried again");
        pauseMs = RETRY_MS;
      }
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
    await this.#turn.catch(() => {});
  }

  /** Looks now, and keeps what it finds. `everything`: as a person asks, with every detector. */
  async hunt({ everything = false }: { everything?: boolean } = {}): Promise<readonly Finding[]> {
    return await this.#inTurn(async () => {
      const { hunt, keep, clock } = this.#options;
      if (hunt === null) return [];
      const nowMs = clock();
      this.#huntedAtMs = nowMs;
      this.#hasNew = false;
      const started = performance.now();
      const findings = await hunt(nowMs, { everything });
      await keep(findings);
      this.counters.hunts += 1;
      this.counters.huntMs += performance.now() - started;
      return findings;
    });
  }

  #isDue(): boolean {
    const { hunt, clock, tickMs } = this.#options;
    return hunt !== null && this.#hasNew && clock() - this.#huntedAtMs >= tickMs;
  }

  /** True when more waits. */
  async #take(): Promise<boolean> {
    const step = await this.#options.pump.step();
    this.counters.exchangesTaken += step.exchanges;
    this.counters.exchangesFailed += step.failed;
    if (step.exchanges > 0 || step.accounts > 0) this.#hasNew = true;
    return step.position < step.size;
  }

  /** A hunt that a person asks for waits for the step under way, and the reverse. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => {});
    return await mine;
  }
}
