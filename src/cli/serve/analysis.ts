// The analyst's two loops: one takes in what is sealed, one says at every tick what stands. Detectors run beside both.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Finding } from "../../core/finding.ts";
import type { LiveHunter } from "../hunter.ts";
import type { Pump } from "../pump.ts";

/** Pause when there is nothing to do, milliseconds. */
const IDLE_MS = 250;
/** Pause after a failed step, milliseconds: a full disk or a busy engine should not fill the diagnostics. */
const RETRY_MS = 2_000;

export interface AnalysisOptions {
  readonly pump: Pick<Pump, "step">;
  /** Null: detection is switched off. */
  readonly hunter: LiveHunter | null;
  /** Keeps findings in the state, and new ones in the log. Never called while it works. */
  readonly keep: (findings: readonly Finding[]) => Promise<void>;
  readonly tickMs: number;
  readonly clock: () => number;
  readonly log: Logger;
  /** Ends all of it: steps and ticks under way end by themselves, detectors are stopped. */
  readonly signal: AbortSignal;
}

/**
 * Owner of when the store is written and read. Nothing waits for anything else: taking in has the store's one writing
 * connection, a run of detectors at most one that reads, and a tick another. A failing step is told, and tried again.
 */
export class Analysis {
  readonly #options: AnalysisOptions;
  readonly counters: {
    exchangesTaken: number;
    exchangesFailed: number;
    /** Ticks, and what they took. */
    hunts: number;
    huntMs: number;
    /** Runs of detectors beside them. */
    runs: number;
    runMs: number;
    failures: number;
  } = {
    exchangesTaken: 0,
    exchangesFailed: 0,
    hunts: 0,
    huntMs: 0,
    runs: 0,
    runMs: 0,
    failures: 0,
  };
  /** Ends with the tick under way: two would keep their findings in any order. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #runs = new Set<Promise<void>>();
  /** Something was taken in since the last tick. The first one waits for the first step, which may take in a lot. */
  #hasNew = false;
  #hasStepped = false;
  /** Detectors ran since the last tick began. */
  #hasRun = false;
  #tickedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AnalysisOptions) {
    this.#options = options;
  }

  /** Runs until the signal. */
  async run(): Promise<void> {
    await Promise.all([this.#repeat(() => this.#take()), this.#repeat(() => this.#tickWhenDue())]);
    await Promise.all(this.#runs);
    await this.#turn;
  }

  /** Runs every detector, as a person asks, and keeps what stands then. Ticks go on meanwhile. */
  async hunt(): Promise<readonly Finding[]> {
    const { hunter, clock, signal } = this.#options;
    if (hunter === null) return [];
    await this.#run(hunter, clock(), true);
    signal.throwIfAborted(); // what it keeps findings in may be closed
    return await this.#tick(hunter);
  }

  /** Does `step` again and again, at once while it says that more waits. */
  async #repeat(step: () => Promise<boolean>): Promise<void> {
    const { signal, log } = this.#options;
    while (!signal.aborted) {
      let pauseMs = IDLE_MS;
      try {
        if (await step()) pauseMs = 0;
      } catch (error) {
        this.counters.failures += 1;
        log.error({ err: error }, "analysis failed; it is tried again");
        pauseMs = RETRY_MS;
      }
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async #take(): Promise<boolean> {
    try {
      const step = await this.#options.pump.step();
      this.counters.exchangesTaken += step.exchanges;
      this.counters.exchangesFailed += step.failed;
      if (step.exchanges > 0 || step.accounts > 0) this.#hasNew = true;
      return step.position < step.size;
    } finally {
      if (!this.#hasStepped) this.#hasNew = true;
      this.#hasStepped = true;
    }
  }

  async #tickWhenDue(): Promise<boolean> {
    const { hunter, clock, tickMs } = this.#options;
    const nowMs = clock();
    if (hunter === null || nowMs - this.#tickedAtMs < tickMs || !(this.#hasNew || this.#hasRun)) return false;
    if (this.#hasNew && this.#runs.size === 0 && hunter.isDue(nowMs)) void this.#run(hunter, nowMs, false);
    await this.#tick(hunter);
    return false;
  }

  async #tick(hunter: LiveHunter): Promise<readonly Finding[]> {
    const { keep, clock } = this.#options;
    return await this.#inTurn(async () => {
      const nowMs = clock();
      this.#tickedAtMs = nowMs;
      // Before it reads: what is taken in, or found, from here on may be missed and is for the next tick.
      this.#hasNew = false;
      this.#hasRun = this.#runs.size > 0;
      const began = performance.now();
      try {
        const findings = await hunter.tick(nowMs);
        await keep(findings);
        this.counters.hunts += 1;
        this.counters.huntMs += performance.now() - began;
        return findings;
      } catch (error) {
        this.#hasNew = true;
        throw error;
      }
    });
  }

  async #run(hunter: LiveHunter, nowMs: number, everything: boolean): Promise<void> {
    this.#hasRun = true;
    const run = hunter.run(nowMs, { everything, signal: this.#options.signal }).then((tookMs) => {
      this.counters.runs += 1;
      this.counters.runMs += tookMs;
      this.#runs.delete(run);
      // What it found is kept now, however far apart ticks are.
      this.#tickedAtMs = Number.NEGATIVE_INFINITY;
    });
    this.#runs.add(run);
    await run;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return await mine;
  }
}
