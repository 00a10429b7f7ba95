// Runs one import: accounts into state and log, exchanges into the log, and all of it into the store.
import { stat } from "node:fs/promises";
import { DataFolder } from "../../config/data-folder.ts";
import { unknownAccount } from "../../core/account.ts";
import type { ActRecorder } from "../../core/acts.ts";
import type { NeutralExchange } from "../../core/decode/neutral.ts";
import { State } from "../../state/state.ts";
import { recorderOf } from "../act.ts";
import type { Context } from "../context.ts";
import { storeOptions } from "../store-options.ts";
import { closeDraft, openDraft } from "./drafts.ts";
import { KnownExchanges } from "./known-exchanges.ts";
import { Pipeline } from "./pipeline.ts";
import { type Chunk, readAccounts, readExchanges } from "./read.ts";
import { type Rejection, Rejections } from "./rejections.ts";

/** What an import did. */
export interface ImportSummary {
  readonly exchanges: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** The first rejected lines. */
  readonly rejections: readonly Rejection[];
  readonly accountsCreated: number;
  readonly accountsChanged: number;
  /** Records written to the log: two an exchange, one a new or changed account. */
  readonly records: number;
  readonly seconds: number;
  /** True when a running server seals and analyses what was written. */
  readonly besideServer: boolean;
}

/** @throws CliError, LogError, StateError, StoreError; what was written until then stays and is skipped next time */
export async function importExchanges(
  { config, folder, output }: Context,
  files: { readonly exchanges: string; readonly accounts?: string | undefined },
): Promise<ImportSummary> {
  const startMs = performance.now();
  const rejections = new Rejections((text) => output.note(text));
  const { size: fileBytes } = await stat(files.exchanges).catch(() => ({ size: 0 }));
  await DataFolder.create(folder.root);
  const state = await State.open({ folder: folder.root, config: config.state });
  let pipeline: Pipeline | null = null;
  const progress = output.progress("importing", fileBytes);
  try {
    pipeline = await Pipeline.open({
      folder,
      origin: config.log.origin,
      store: await storeOptions(config.store),
      embeddingModel: config.detect.embeddingModel,
      onFailure,
    });
    await pipeline.catchUp();
    const run = new ImportRun(pipeline, state, await KnownExchanges.open(pipeline.log));
    const accounts = await readAccounts(files.accounts, rejections);
    await run.recordAccounts([...accounts.values()]);
    for await (const chunk of readExchanges(files.exchanges, rejections)) {
      await run.take(chunk);
      progress.update(chunk.fileBytes);
    }
    progress.end();
    await pipeline.settle();
    const seconds = (performance.now() - startMs) / 1000;
    const { count: rejected, first } = rejections;
    return { ...run.counts, rejected, rejections: first, seconds, besideServer: pipeline.besideServer };
  } finally {
    progress.end();
    await pipeline?.close();
    await state.close();
  }

  function onFailure(index: number, error: unknown): void {
    output.note(`the exchange that ends at leaf ${index} left no features: ${String(error)}`);
  }
}

/** One import: what is known, and what was counted. */
class ImportRun {
  readonly counts: {
    exchanges: number;
    duplicates: number;
    accountsCreated: number;
    accountsChanged: number;
    records: number;
  } = { exchanges: 0, duplicates: 0, accountsCreated: 0, accountsChanged: 0, records: 0 };
  readonly #pipeline: Pipeline;
  readonly #state: State;
  readonly #known: KnownExchanges;
  readonly #record: ActRecorder;
  readonly #accounts = new Set<string>();

  constructor(pipeline: Pipeline, state: State, known: KnownExchanges) {
    this.#pipeline = pipeline;
    this.#state = state;
    this.#known = known;
    const record = recorderOf(pipeline.writer, { by: "import" });
    this.#record = async (acts) => {
      await record(acts);
      this.counts.records += acts.length;
    };
  }

  /** Facts go to the state and, where they are new, as acts into the log. */
  async recordAccounts(facts: Parameters<State["accounts"]["ensureAll"]>[0]): Promise<void> {
    for (const { account } of facts) this.#accounts.add(account);
    const { created, changed } = await this.#state.accounts.ensureAll(facts, { record: this.#record });
    this.counts.accountsCreated += created;
    this.counts.accountsChanged += changed;
  }

  async take({ values }: Chunk<NeutralExchange>): Promise<void> {
    const strangers = new Set(
      values.map(({ value }) => value.account).filter((name) => !this.#accounts.has(name)),
    );
    if (strangers.size > 0) await this.recordAccounts([...strangers].map(unknownAccount));
    for (const { value } of values) {
      if (!(await this.#known.add(value.id))) {
        this.counts.duplicates += 1;
        continue;
      }
      this.#pipeline.append(openDraft(value));
      this.#pipeline.append(closeDraft(value));
      this.counts.exchanges += 1;
      this.counts.records += 2;
    }
    await this.#pipeline.room();
  }
}
