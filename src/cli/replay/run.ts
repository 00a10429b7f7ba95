// Runs one replay: virtual time, the real log and store, and detection at every tick.
import { stat } from "node:fs/promises";
import { type AccountFacts, unknownAccount } from "../../core/account.ts";
import type { NeutralExchange } from "../../core/decode/neutral.ts";
import type { Finding } from "../../core/finding.ts";
import { State } from "../../state/state.ts";
import { recorderOf } from "../act.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { type Hunter, openHunter } from "../hunter.ts";
import { KnownExchanges } from "../import/known-exchanges.ts";
import { Pipeline } from "../import/pipeline.ts";
import { readAccounts, readExchanges } from "../import/read.ts";
import { type Rejection, Rejections } from "../import/rejections.ts";
import { storeOptions } from "../store-options.ts";
import { FindingsFile } from "./findings-file.ts";
import { Timeline } from "./timeline.ts";

export interface ReplayOptions {
  readonly accounts?: string | undefined;
  readonly findings: string;
  /** Virtual time between two ticks, ms. */
  readonly tick: number;
  readonly signal?: AbortSignal;
  /** What looks at the store at every tick (default: detection as configured). */
  readonly openHunter?: typeof openHunter;
}

export interface ReplaySummary {
  readonly exchanges: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly rejections: readonly Rejection[];
  readonly ticks: number;
  readonly findings: number;
  readonly alerts: number;
  /** Detectors that could not finish at one tick or more. */
  readonly failingDetectors: readonly string[];
  readonly seconds: number;
  /** Where the time went, seconds. The rest is reading, encrypting and writing. */
  readonly sealSeconds: number;
  readonly ingestSeconds: number;
  readonly huntSeconds: number;
}

/** @throws CliError `usage` when the folder's log is not empty, `interrupted`; LogError, StoreError */
export async function replay(
  { config, folder, output }: Context,
  exchanges: string,
  options: ReplayOptions,
): Promise<ReplaySummary> {
  const startMs = performance.now();
  const rejections = new Rejections((text) => output.note(text));
  const { size: fileBytes } = await stat(exchanges).catch(() => ({ size: 0 }));
  const progress = output.progress("replaying", fileBytes);
  const pipeline = await Pipeline.open({
    folder,
    origin: config.log.origin,
    store: await storeOptions(config.store),
    embeddingModel: config.detect.embeddingModel,
    onFailure: (index, error) => output.note(`leaf ${index} left no features: ${String(error)}`),
  });
  try {
    const { store, log } = pipeline;
    if (store === null || (await log.size()) > 0) {
      throw new CliError(
        "usage",
        `expected a data folder of its own, got ${folder.root}, where a log is kept`,
      );
    }
    const accounts = await readAccounts(options.accounts, rejections);
    const failing = new Set<string>();
    const hunter = await (options.openHunter ?? openHunter)({
      store,
      config: config.detect,
      previous: [],
      onFailure: (detector, error) => {
        // It would say the same at each of some hundred ticks.
        if (!failing.has(detector)) output.note(`detector ${detector} did not finish: ${reasonOf(error)}`);
        failing.add(detector);
      },
    });
    const run = new ReplayRun({ pipeline, hunter, accounts, options, known: await KnownExchanges.open(log) });
    for await (const { values, fileBytes: done } of readExchanges(exchanges, rejections)) {
      for (const { value } of values) await run.take(value);
      progress.update(done);
    }
    await run.end();
    await run.file.write(options.findings);
    await run.keep(folder.root, accounts);
    return {
      ...run.counts,
      rejected: rejections.count,
      rejections: rejections.first,
      findings: run.file.findings,
      failingDetectors: [...failing].sort(),
      alerts: run.file.alerts.length,
      seconds: (performance.now() - startMs) / 1000,
      sealSeconds: pipeline.times.sealMs / 1000,
      ingestSeconds: pipeline.times.pumpMs / 1000,
      huntSeconds: run.huntMs / 1000,
    };
  } finally {
    progress.end();
    await pipeline.close();
  }
}

/** The innermost reason: what the engine said. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

class ReplayRun {
  readonly file = new FindingsFile();
  readonly counts = { exchanges: 0, duplicates: 0, ticks: 0 };
  huntMs = 0;
  /** The latest word on each finding, by id. */
  readonly #findings = new Map<string, Finding>();
  readonly #accounts = new Set<string>();
  readonly #pipeline: Pipeline;
  readonly #hunter: Hunter;
  readonly #known: KnownExchanges;
  readonly #timeline: Timeline;
  readonly #signal: AbortSignal | undefined;

  constructor(parts: {
    pipeline: Pipeline;
    hunter: Hunter;
    known: KnownExchanges;
    accounts: ReadonlyMap<string, AccountFacts>;
    options: ReplayOptions;
  }) {
    this.#pipeline = parts.pipeline;
    this.#hunter = parts.hunter;
    this.#known = parts.known;
    this.#signal = parts.options.signal;
    this.#timeline = new Timeline({
      accounts: parts.accounts,
      tickMs: parts.options.tick,
      write: (draft) => parts.pipeline.append(draft),
      onTick: (nowMs) => this.#tick(nowMs),
    });
  }

  /** @throws CliError `interrupted` */
  async take(exchange: NeutralExchange): Promise<void> {
    if (this.#signal?.aborted === true) {
      throw new CliError("interrupted", "stopped before the end; no findings were written");
    }
    if (!(await this.#known.add(exchange.id))) {
      this.counts.duplicates += 1;
      return;
    }
    this.counts.exchanges += 1;
    this.#accounts.add(exchange.account);
    await this.#timeline.take(exchange);
    await this.#pipeline.room();
  }

  async end(): Promise<void> {
    await this.#timeline.end();
  }

  /** Leaves a folder that `adyton serve --data` can show: accounts and findings in the state, findings in the log. */
  async keep(folder: string, facts: ReadonlyMap<string, AccountFacts>): Promise<void> {
    const state = await State.open({ folder });
    try {
      // Their facts are in the log since they signed up, in virtual time.
      await state.accounts.ensureAll(
        [...this.#accounts].map((name) => facts.get(name) ?? unknownAccount(name)),
      );
      const record = recorderOf(this.#pipeline.writer, { by: "replay" });
      await state.findings.upsert([...this.#findings.values()], { record });
      await this.#pipeline.settle();
    } finally {
      await state.close();
    }
  }

  /** What is in the store now is all that detection can know. */
  async #tick(nowMs: number): Promise<void> {
    await this.#pipeline.settle();
    const start = performance.now();
    const findings = await this.#hunter(nowMs);
    this.file.add(nowMs, findings);
    for (const finding of findings) this.#findings.set(finding.id, finding);
    this.huntMs += performance.now() - start;
    this.counts.ticks += 1;
  }
}
