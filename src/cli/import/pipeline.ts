// The way from a file into log and store for one command: write, seal, take in. Beside a running server it only writes.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DataFolder } from "../../config/data-folder.ts";
import type { RecordDraft } from "../../core/record.ts";
import { NODE_DISK } from "../../log/disk.ts";
import { LogError } from "../../log/errors.ts";
import { FolderLock } from "../../log/folder-lock.ts";
import { Keyring } from "../../log/keyring.ts";
import { Ledger } from "../../log/ledger.ts";
import { readLedgerState } from "../../log/ledger-state.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { LogWriter } from "../../log/writer.ts";
import { Store, type StoreOptions } from "../../store/store.ts";
import { DerivationPool } from "../derive-pool.ts";
import { CliError } from "../errors.ts";
import { featuresOf, openModel } from "../features.ts";
import { Pump, type Step } from "../pump.ts";
import { Appender } from "./appender.ts";

const WRITER = "import";
/** Records after which sealing begins: each sealing costs about ten syncs, however small. */
const SEAL_AT_RECORDS = 8_192;
/** Records that may wait to be sealed; beyond it writing waits. Bounds the disk that segments take. */
const MAX_UNSEALED_RECORDS = 65_536;
/** How often a server's progress is looked at, ms. */
const POLL_MS = 50;

export interface PipelineOptions {
  /** As configured; null: the default of the installation. */
  readonly origin: string | null;
  readonly folder: DataFolder;
  readonly store: Omit<StoreOptions, "folder">;
  /** Folder of the embedding model, as configured; null: none. */
  readonly embeddingModel: string | null;
  /** Told of each exchange that left no features. */
  readonly onFailure?: (index: number, error: unknown) => void;
  /** Threads that derive features; 0: this one does (default: as many as cores, since this one mostly waits for them). */
  readonly threads?: number | undefined;
}

/** Milliseconds spent in each stage, for reports of where time goes. */
export interface StageTimes {
  sealMs: number;
  pumpMs: number;
}

export class Pipeline {
  readonly log: SealedLog;
  /** Null when a running server seals and takes in what is written here. */
  readonly store: Store | null;
  readonly writer: LogWriter;
  readonly times: StageTimes = { sealMs: 0, pumpMs: 0 };
  readonly #folder: DataFolder;
  readonly #keys: Keyring;
  readonly #appender: Appender;
  readonly #ledger: Ledger | null;
  readonly #pool: DerivationPool | null;
  readonly #pump: Pump | null;
  #sealedOfOurs = 0;
  /** What goes on beside the writing; neither waits for the other. */
  #sealing: Promise<void> | null = null;
  #pumping: Promise<void> | null = null;
  /** What ended one of them: thrown by the next call. */
  #failure: { readonly error: unknown } | null = null;
  #lastExchange: string | null = null;

  private constructor(parts: {
    folder: DataFolder;
    keys: Keyring;
    log: SealedLog;
    writer: LogWriter;
    ledger: Ledger | null;
    store: Store | null;
    pool: DerivationPool | null;
    pump: Pump | null;
  }) {
    this.#folder = parts.folder;
    this.#keys = parts.keys;
    this.log = parts.log;
    this.writer = parts.writer;
    this.#appender = new Appender(parts.writer);
    this.#ledger = parts.ledger;
    this.store = parts.store;
    this.#pool = parts.pool;
    this.#pump = parts.pump;
  }

  /** @throws LogError `log.locked` when another import runs; StoreError */
  static async open(options: PipelineOptions): Promise<Pipeline> {
    const folder = options.folder.root;
    const keys = await Keyring.open({ folder });
    const opened: { close(): Promise<void> | void }[] = [keys];
    try {
      const writer = await LogWriter.open({ folder, writer: WRITER, keys });
      opened.push(writer);
      const ledger = await openLedger(folder, keys, options.origin);
      if (ledger !== null) opened.push(ledger);
      const log = await SealedLog.open({ folder, keys, origin: options.origin });
      const store =
        ledger === null ? null : await Store.open({ ...options.store, folder: options.folder.store });
      const { onFailure, origin, embeddingModel, threads = availableParallelism() } = options;
      const model = await openModel(embeddingModel, keys);
      const pool =
        store === null || threads === 0
          ? null
          : new DerivationPool({ folder, origin, embeddingModel, threads, onFailure });
      const own = { features: featuresOf(keys, model), ...(onFailure === undefined ? {} : { onFailure }) };
      const deriver = pool === null ? own : { deriver: pool };
      const pump = store === null ? null : new Pump({ log, store, ...deriver });
      return new Pipeline({ folder: options.folder, keys, log, writer, ledger, store, pool, pump });
    } catch (error) {
      for (const each of opened.reverse()) await each.close();
      throw error;
    }
  }

  /** Whether a running server does the sealing. */
  get besideServer(): boolean {
    return this.#ledger === null;
  }

  /**
   * Everything that earlier imports wrote is sealed, so that the log can say what it knows. What a crash cut in the
   * middle is `interrupted` then. @throws LogError; CliError `server-gone`
   */
  async catchUp(): Promise<void> {
    if (this.#ledger !== null) while ((await this.#seal()) > 0);
    else await this.#awaitServer(async () => (await this.#sealedIncarnation()) === this.writer.incarnation);
  }

  append(draft: RecordDraft): void {
    this.#appender.append(draft);
    if (draft.kind !== "act") this.#lastExchange = draft.exchange;
  }

  /** Waits for room, and keeps sealing and taking in going meanwhile. @throws LogError, StoreError */
  async room(): Promise<void> {
    await this.#appender.room();
    this.#rethrow();
    const behind = this.#appender.appended - this.#sealedOfOurs;
    if (this.#ledger === null || behind < SEAL_AT_RECORDS) return;
    this.#startSealing();
    if (behind <= MAX_UNSEALED_RECORDS) return;
    await this.#sealing;
    this.#rethrow();
  }

  /** Everything written so far is durable, sealed, and (without a server) in the store. @throws LogError, StoreError */
  async settle(options: { readonly onStep?: (step: Step) => void } = {}): Promise<void> {
    await this.#appender.flush();
    if (this.#ledger === null) {
      const last = this.#lastExchange;
      // Frames of one writer are sealed in order: when the last exchange is sealed, all are.
      if (last !== null)
        await this.#awaitServer(async () => (await this.log.findExchange(last)).close !== undefined);
      return;
    }
    await this.#sealing;
    this.#rethrow();
    while ((await this.#seal()) > 0) this.#startPumping();
    await this.#pumping;
    this.#rethrow();
    const start = performance.now();
    await this.#pump?.drain(options);
    this.times.pumpMs += performance.now() - start;
  }

  get #ledgerLock(): string {
    return join(this.#folder.ledger, "lock.sqlite");
  }

  async close(): Promise<void> {
    await Promise.all([this.#sealing, this.#pumping]);
    await this.#pool?.close();
    await this.writer.close();
    this.#ledger?.close();
    await this.store?.close();
    this.log.close();
    this.#keys.close();
  }

  #startSealing(): void {
    this.#sealing ??= this.#guard(async () => {
      await this.#seal();
      this.#startPumping();
    }).finally(() => {
      this.#sealing = null;
    });
  }

  /** Takes in what fills whole batches; the rest comes with more, or when all is settled. */
  #startPumping(): void {
    const [pump, ledger] = [this.#pump, this.#ledger];
    if (pump === null || ledger === null) return;
    this.#pumping ??= this.#guard(async () => {
      const start = performance.now();
      while (await pump.hasBatch()) await pump.step();
      this.times.pumpMs += performance.now() - start;
    }).finally(() => {
      this.#pumping = null;
    });
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #rethrow(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
  }

  async #seal(): Promise<number> {
    const start = performance.now();
    const sealed = (await this.#ledger?.step())?.sealed ?? 0;
    this.times.sealMs += performance.now() - start;
    this.#sealedOfOurs += sealed;
    return sealed;
  }

  /** Polls until `isDone`. @throws CliError `server-gone` when nobody seals any more */
  async #awaitServer(isDone: () => Promise<boolean>): Promise<void> {
    while (!(await isDone())) {
      if (FolderLock.isFree(this.#ledgerLock)) {
        throw new CliError("server-gone", "expected the running server to seal what was written, got none");
      }
      await sleep(POLL_MS);
    }
  }

  /** The ledger enters a writer's new incarnation only after it has sealed all of the former ones. */
  async #sealedIncarnation(): Promise<number | undefined> {
    return (await readLedgerState(NODE_DISK, this.#folder.ledgerState))?.writers[WRITER]?.incarnation;
  }
}

async function openLedger(folder: string, keys: Keyring, origin: string | null): Promise<Ledger | null> {
  try {
    return await Ledger.open({ folder, keys, origin });
  } catch (error) {
    if (error instanceof LogError && error.code === "log.locked") return null;
    throw error;
  }
}
