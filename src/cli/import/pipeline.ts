// The way from a file into log and store for one command: write, seal, take in. Beside a running server it only writes.
import { setTimeout as sleep } from "node:timers/promises";
import type { DataFolder } from "../../config/data-folder.ts";
import type { RecordDraft } from "../../core/record.ts";
import { LogError } from "../../log/errors.ts";
import { Keyring } from "../../log/keyring.ts";
import { Ledger } from "../../log/ledger.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { LogWriter } from "../../log/writer.ts";
import { Store, type StoreOptions } from "../../store/store.ts";
import { featuresOf } from "../features.ts";
import { Pump, type Step } from "../pump.ts";
import { Appender } from "./appender.ts";

const WRITER = "import";
/** Records that may wait to be sealed; beyond it writing waits. Bounds the disk that segments take. */
const MAX_UNSEALED_RECORDS = 65_536;
/** How often a server's progress is looked at, ms. */
const POLL_MS = 100;

export interface PipelineOptions {
  readonly folder: DataFolder;
  readonly store: Omit<StoreOptions, "folder">;
  /** Told of each exchange that left no features. */
  readonly onFailure?: (index: number, error: unknown) => void;
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
  readonly #keys: Keyring;
  readonly #appender: Appender;
  readonly #ledger: Ledger | null;
  readonly #pump: Pump | null;
  #sealedOfOurs = 0;
  #moving: Promise<void> | null = null;
  #lastExchange: string | null = null;

  private constructor(parts: {
    keys: Keyring;
    log: SealedLog;
    writer: LogWriter;
    ledger: Ledger | null;
    store: Store | null;
    pump: Pump | null;
  }) {
    this.#keys = parts.keys;
    this.log = parts.log;
    this.writer = parts.writer;
    this.#appender = new Appender(parts.writer);
    this.#ledger = parts.ledger;
    this.store = parts.store;
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
      const ledger = await openLedger(folder, keys);
      if (ledger !== null) opened.push(ledger);
      const log = await SealedLog.open({ folder, keys });
      const store =
        ledger === null ? null : await Store.open({ ...options.store, folder: options.folder.store });
      const { onFailure } = options;
      const pump =
        store === null
          ? null
          : new Pump({
              log,
              store,
              features: featuresOf(keys),
              ...(onFailure === undefined ? {} : { onFailure }),
            });
      return new Pipeline({ keys, log, writer, ledger, store, pump });
    } catch (error) {
      for (const each of opened.reverse()) await each.close();
      throw error;
    }
  }

  /** Whether a running server does the sealing. */
  get besideServer(): boolean {
    return this.#ledger === null;
  }

  append(draft: RecordDraft): void {
    this.#appender.append(draft);
    if (draft.kind !== "act") this.#lastExchange = draft.exchange;
  }

  /** Waits for room, and keeps sealing and taking in going meanwhile. @throws LogError, StoreError */
  async room(): Promise<void> {
    await this.#appender.room();
    if (this.#ledger === null) return;
    this.#moving ??= this.#move().finally(() => {
      this.#moving = null;
    });
    const behind = this.#appender.appended - this.#sealedOfOurs;
    if (behind > MAX_UNSEALED_RECORDS) await this.#moving;
  }

  /** Everything written so far is durable, sealed, and (without a server) in the store. @throws LogError, StoreError */
  async settle(options: { readonly onStep?: (step: Step) => void } = {}): Promise<void> {
    await this.#appender.flush();
    if (this.#ledger === null) return this.#awaitServer();
    await this.#moving;
    while ((await this.#seal()) > 0);
    const start = performance.now();
    await this.#pump?.drain(options);
    this.times.pumpMs += performance.now() - start;
  }

  async close(): Promise<void> {
    await this.#moving?.catch(() => {});
    await this.writer.close();
    this.#ledger?.close();
    await this.store?.close();
    this.log.close();
    this.#keys.close();
  }

  async #move(): Promise<void> {
    await this.#seal();
    const start = performance.now();
    await this.#pump?.step();
    this.times.pumpMs += performance.now() - start;
  }

  async #seal(): Promise<number> {
    const start = performance.now();
    const sealed = (await this.#ledger?.step())?.sealed ?? 0;
    this.times.sealMs += performance.now() - start;
    this.#sealedOfOurs += sealed;
    return sealed;
  }

  /** Frames of one writer are sealed in order: when the last exchange is sealed, all are. */
  async #awaitServer(): Promise<void> {
    if (this.#lastExchange === null) return;
    while ((await this.log.findExchange(this.#lastExchange)).close === undefined) await sleep(POLL_MS);
  }
}

async function openLedger(folder: string, keys: Keyring): Promise<Ledger | null> {
  try {
    return await Ledger.open({ folder, keys });
  } catch (error) {
    if (error instanceof LogError && error.code === "log.locked") return null;
    throw error;
  }
}
