// Destroys content for good: an account's keys, single records' nonces and ciphertext; announced first, resumed after a crash.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DataFolder } from "../config/data-folder.ts";
import type { ActRecorder } from "../core/acts.ts";
import { timeId } from "../core/ids.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import {
  type LeafSpan,
  mergeSpans,
  parseTombstone,
  TOMBSTONE_ACT,
  type Tombstone,
} from "../core/tombstone.ts";
import { packedBytes, packPath } from "./content-pack.ts";
import { type Disk, NODE_DISK } from "./disk.ts";
import type { BegunErasure, ErasureJournal, ErasureScope, Hold, Subject } from "./erasure-journal.ts";
import { LogError } from "./errors.ts";
import type { Keyring } from "./keyring.ts";
import { Ledger } from "./ledger.ts";
import { type PackPlace, scrubPack } from "./pack-scrub.ts";
import type { SealedLog } from "./sealed-log.ts";
import { dropSealedSegments } from "./segment-drop.ts";

/** Longest wait for a running ledger to seal the tombstone. */
const SEAL_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** What somebody wants destroyed. */
export type ErasureTarget =
  | { readonly account: string; readonly exchange?: undefined }
  | { readonly exchange: string; readonly account?: undefined };

/** What an erasure would destroy, and what stands against it. */
export interface ErasurePlan extends ErasureScope {
  /** Records with content that are sealed by now. */
  readonly count: number;
  /** Bytes of their ciphertext. */
  readonly bytes: number;
  readonly subjects: readonly Subject[];
  readonly holds: readonly Hold[];
}

export interface Erased {
  readonly erasure: string;
  readonly account: string | null;
  /** Null where the account was erased by an earlier run that ended early. */
  readonly name: string | null;
  readonly keys: number;
  readonly records: number;
  readonly bytes: number;
  /** Index of its tombstone. */
  readonly tombstone: number;
  /** Writers that are at work and give up their old segments by themselves, within seconds. */
  readonly liveWriters: readonly string[];
}

export interface EraserOptions {
  /** The data folder. */
  readonly folder: string;
  readonly keys: Keyring;
  readonly origin?: string | null;
  readonly log: SealedLog;
  readonly journal: ErasureJournal;
  /** Makes acts durable. */
  readonly record: ActRecorder;
  readonly disk?: Disk;
  readonly clock?: () => number;
  readonly onProgress?: (leaves: number, size: number) => void;
}

export class Eraser {
  readonly #options: EraserOptions;
  readonly #folder: DataFolder;
  readonly #disk: Disk;
  readonly #clock: () => number;

  constructor(options: EraserOptions) {
    this.#options = options;
    this.#folder = new DataFolder(options.folder);
    this.#disk = options.disk ?? NODE_DISK;
    this.#clock = options.clock ?? Date.now;
  }

  /** Looks and destroys nothing; what waits is sealed first where no ledger runs. Throws `log.not-found`, and `log.exchange-open` for an exchange that has not ended. */
  async plan(target: ErasureTarget, legalBasis: string): Promise<ErasurePlan> {
    const { journal } = this.#options;
    await this.#seal();
    const scope =
      target.account === undefined ? await this.#exchange(target.exchange) : this.#account(target.account);
    const totals = { count: 0, bytes: 0 };
    for (const places of (await this.#places(scope)).values()) {
      totals.count += places.length;
      for (const { leaf } of places) totals.bytes += leaf.bytes ?? 0;
    }
    const holds = scope.subjects.flatMap((subject) => journal.inForce(subject));
    return { cause: "request", legalBasis, ...scope, ...totals, holds };
  }

  #account(name: string): Omit<ErasureScope, "cause" | "legalBasis"> & { subjects: Subject[] } {
    const account = this.#options.keys.pseudonymOf(name);
    const keys = this.#options.keys.keyIdsOf(account);
    if (keys.length === 0) throw new LogError("log.not-found", `expected content of ${name}, got none`);
    return { account, name, exchange: null, keys, records: [], subjects: [{ account, exchange: null }] };
  }

  async #exchange(
    exchange: string,
  ): Promise<Omit<ErasureScope, "cause" | "legalBasis"> & { subjects: Subject[] }> {
    const { log } = this.#options;
    const indexes = await log.leavesOf(exchange);
    if (indexes.length === 0)
      throw new LogError("log.not-found", `expected an exchange in the sealed log, got ${exchange}`);
    const accounts = new Set<string>();
    let open = 0;
    for (const index of indexes) {
      const { leaf } = await log.leaf(index);
      if (leaf.account !== undefined) accounts.add(leaf.account);
      open += leaf.kind === "open" ? 1 : -1;
    }
    if (open > 0)
      throw new LogError(
        "log.exchange-open",
        `expected ${exchange} to have ended, got one that is still open`,
      );
    const records = mergeSpans(indexes.map((index): LeafSpan => [index, index + 1]));
    const subjects = [...accounts].map((account): Subject => ({ account, exchange }));
    return { account: null, name: null, exchange, keys: [], records, subjects };
  }

  /**
   * Destroys what was planned. Throws `log.held` under a legal hold; after any other error the erasure has begun and
   * `resume` completes it. The caller erases what other parts know (by `name`), then calls `finish`.
   */
  async erase(plan: ErasurePlan): Promise<Erased> {
    const { cause, legalBasis, account, name, exchange, keys, records, subjects } = plan;
    const id = this.#id();
    const scope = { cause, legalBasis, account, name, exchange, keys, records };
    this.#options.journal.begin(id, scope, subjects);
    return await this.#run({ id, ...scope, isRecorded: false });
  }

  /** Erases records by their age. `holds`: those that were respected. Throws `log.held` when there are others by now. */
  async retire(
    records: readonly LeafSpan[],
    guard: { legalBasis: string; holds: readonly Hold[] },
  ): Promise<Erased> {
    const { legalBasis, holds } = guard;
    const nothing = { account: null, name: null, exchange: null, keys: [] };
    const scope = { cause: "retention", legalBasis, ...nothing, records } as const;
    const id = this.#id();
    this.#options.journal.begin(id, scope, { holds });
    return await this.#run({ id, ...scope, isRecorded: false });
  }

  /** Completes every erasure that has begun; `cause`: only those. */
  async resume(cause: ErasureScope["cause"] | null = null): Promise<Erased[]> {
    const done: Erased[] = [];
    for (const begun of this.#options.journal.unfinished())
      if (cause === null || begun.cause === cause) done.push(await this.#run(begun));
    return done;
  }

  #id(): string {
    return timeId("er", Math.floor(this.#clock()), randomBytes(10));
  }

  /** The whole installation has forgotten it. */
  finish(erasure: string): void {
    this.#options.journal.markDone(erasure);
  }

  async #run(begun: BegunErasure): Promise<Erased> {
    const { keys, journal } = this.#options;
    const from = begun.isRecorded ? 0 : await this.#options.log.size();
    if (!begun.isRecorded) {
      const { id, cause, legalBasis, account, keys: keyIds, records } = begun;
      const detail: Tombstone = { erasure: id, cause, legalBasis, account, keys: keyIds, records };
      await this.#options.record([{ act: TOMBSTONE_ACT, account: null, detail }]);
      journal.markRecorded(begun.id);
    }
    const tombstone = await this.#sealed(begun.id, from);
    const destroyed = begun.account === null ? 0 : keys.destroyKeys(begun.account, begun.keys);
    const scrubbed = await this.#scrub(begun);
    const liveWriters = await dropSealedSegments(this.#disk, this.#folder, keys.writeAheadKey);
    const { account, name } = begun;
    return { erasure: begun.id, account, name, keys: destroyed, ...scrubbed, tombstone, liveWriters };
  }

  /** Waits until the tombstone is in a checkpoint: what is missing from then on is announced. Returns its index. */
  async #sealed(erasure: string, from: number): Promise<number> {
    const deadline = performance.now() + SEAL_TIMEOUT_MS;
    for (;;) {
      await this.#seal();
      const index = await this.#find(erasure, from);
      if (index !== null) return index;
      if (performance.now() > deadline)
        throw new LogError("log.erasure-waits", `expected the ledger to seal the tombstone of ${erasure}`);
      await sleep(POLL_MS);
    }
  }

  /** Seals by itself where no ledger runs. */
  async #seal(): Promise<void> {
    const { folder, keys, origin = null } = this.#options;
    try {
      const ledger = await Ledger.open({ folder, keys, origin, disk: this.#disk, lockTimeoutMs: 0 });
      try {
        for (let step = await ledger.step(); step.sealed > 0 || step.more; step = await ledger.step());
      } finally {
        ledger.close();
      }
    } catch (error) {
      if (!(error instanceof LogError && error.code === "log.locked")) throw error;
    }
  }

  async #find(erasure: string, from: number): Promise<number | null> {
    const { log } = this.#options;
    for await (const { index, leaf } of log.leaves(from, Number.MAX_SAFE_INTEGER)) {
      if (leaf.act !== TOMBSTONE_ACT) continue;
      const detail = (await log.record(index)).content?.get("detail");
      if (detail !== undefined && parseTombstone(detail)?.erasure === erasure) return index;
    }
    return null;
  }

  /** Records with content that the scope covers, by bundle. An act about an account is content of it. */
  async #places(scope: Pick<ErasureScope, "account" | "records">): Promise<Map<number, PackPlace[]>> {
    const { log, onProgress } = this.#options;
    const size = await log.size();
    const found = new Map<number, PackPlace[]>();
    const add = (index: number, place: PackPlace): void => {
      if (packedBytes(place.leaf) === 0) return;
      const bundle = Math.floor(index / TILE_WIDTH);
      const places = found.get(bundle) ?? [];
      found.set(bundle, places);
      places.push(place);
    };
    for (const [from, to] of scope.account === null ? scope.records : [[0, size] as const])
      for await (const { index, leaf, offset } of log.leaves(from, to)) {
        if (scope.account === null || leaf.account === scope.account) add(index, { leaf, offset });
        if (index % TILE_WIDTH === 0) onProgress?.(index, size);
      }
    return found;
  }

  async #scrub(scope: BegunErasure): Promise<{ records: number; bytes: number }> {
    const total = { records: 0, bytes: 0 };
    for (const [bundle, places] of await this.#places(scope)) {
      const path = packPath(this.#folder.content, bundle);
      total.bytes += await scrubPack(this.#disk, path, places);
      total.records += places.length;
    }
    return total;
  }
}
