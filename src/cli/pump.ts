// Moves what is sealed into the store, exactly once: the log's next stretch, derived, inserted with the position reached.
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../store/store.ts";
import {
  Derivation,
  type Derived,
  type Deriver,
  type Features,
  type PlacedTombstone,
  type RecordSource,
} from "./derive.ts";

/**
 * Most leaves of one batch: at two an exchange some 33,000 rows, about 16 MB. What follows the log live takes what is
 * there; what is behind gains from few large inserts, because each becomes a part that must be merged.
 */
export const LEAVES_A_BATCH = 65_536;
/** Batches that other threads may derive ahead: none should wait while another finishes its part. */
const BATCHES_AHEAD = 1;
/** Pause of `run` when the log has nothing new, ms. */
const IDLE_MS = 250;

interface CommonOptions {
  /** The sealed log: how much of it there is, and what it calls an account. */
  readonly log: { size(): Promise<number>; pseudonymOf(account: string): string };
  readonly store: Store;
  readonly leavesABatch?: number | undefined;
}

/** Derives in this thread. */
interface OwnDerivation extends CommonOptions {
  readonly log: RecordSource & CommonOptions["log"];
  readonly features: Features;
  /** Told of every exchange whose features could not be derived (by the leaf that ends it). */
  readonly onFailure?: (index: number, error: unknown) => void;
}

/** Lets others derive; who made the deriver closes it. */
interface GivenDeriver extends CommonOptions {
  readonly deriver: Deriver;
}

export type PumpOptions = OwnDerivation | GivenDeriver;

/** What one step took in. */
export interface Step {
  readonly exchanges: number;
  readonly accounts: number;
  readonly erased: number;
  readonly failed: number;
  /** Leaves taken in so far. */
  readonly position: number;
  /** Leaves sealed when the step began: `position` below it means that more waits. */
  readonly size: number;
}

interface Ahead {
  readonly from: number;
  readonly to: number;
  readonly derived: Promise<Derived>;
}

/**
 * One pump a store. The store's position is the only memory: a crash at any point costs at most a repeated batch.
 * While a batch is inserted (the engine's own threads), the next is derived.
 */
export class Pump {
  readonly #log: PumpOptions["log"];
  readonly #store: Store;
  readonly #deriver: Deriver;
  readonly #leavesABatch: number;
  /** How many batches may be derived before they are needed; by this thread: one after the other. */
  readonly #maxAhead: number;
  /** Batches that are being derived or wait to be inserted, in order. */
  #ahead: Ahead[] = [];

  constructor(options: PumpOptions) {
    this.#log = options.log;
    this.#store = options.store;
    this.#deriver =
      "deriver" in options ? options.deriver : new Derivation(options.log, options.features, options);
    this.#maxAhead = "deriver" in options ? BATCHES_AHEAD : 0;
    this.#leavesABatch = options.leavesABatch ?? LEAVES_A_BATCH;
  }

  /** Whether a whole batch is sealed and not taken in. */
  async hasBatch(): Promise<boolean> {
    return (await this.#store.position()) + this.#leavesABatch <= (await this.#log.size());
  }

  /** Takes one batch in. @throws LogError, StoreError: nothing is lost, the next step tries the same batch again */
  async step(): Promise<Step> {
    const from = await this.#store.position();
    const size = await this.#log.size();
    if (from >= size) return { exchanges: 0, accounts: 0, erased: 0, failed: 0, position: from, size };
    if (this.#ahead[0]?.from !== from) this.#ahead = [this.#derive(from, size)];
    this.#deriveAhead(from, size, 1 + this.#maxAhead);
    const { to, derived } = await this.#firstUpToTombstone(from);
    this.#deriveAhead(to, size, Math.max(1, this.#maxAhead));
    const { lines, tombstones, ...counts } = derived;
    for (const tombstone of tombstones) await this.#erase(tombstone);
    await this.#store.insertBatch({ lines, position: to });
    return { ...counts, position: to, size };
  }

  /** A batch ends before a tombstone, which then begins the next one: all that it is about is in the store by then. */
  async #firstUpToTombstone(from: number): Promise<{ to: number; derived: Derived }> {
    const first = this.#ahead.shift();
    if (first === undefined) throw new TypeError("expected a batch that is being derived, got none");
    try {
      const derived = await first.derived;
      const later = derived.tombstones.find(({ index }) => index > from);
      if (later === undefined) return { to: first.to, derived };
      this.#ahead = [];
      return { to: later.index, derived: await this.#derive(from, later.index).derived };
    } catch (error) {
      this.#ahead = []; // the next step derives them again
      throw error;
    }
  }

  /** Has whole batches derived before they are needed; what does not fill one waits for more. */
  #deriveAhead(from: number, size: number, count: number): void {
    while (this.#ahead.length < count) {
      const next = this.#ahead.at(-1)?.to ?? from;
      if (next + this.#leavesABatch > size) return;
      this.#ahead.push(this.#derive(next, size));
    }
  }

  async #erase({ index, account, records }: PlacedTombstone): Promise<void> {
    const isErased = (name: string): boolean => this.#log.pseudonymOf(name) === account;
    await this.#store.erase({ records, account: account === null ? null : { isErased, before: index } });
  }

  /** Steps until everything sealed by now is in the store. */
  async drain(
    options: { readonly onStep?: (step: Step) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Step> {
    const total = { exchanges: 0, accounts: 0, erased: 0, failed: 0 };
    while (true) {
      const step = await this.step();
      for (const name of ["exchanges", "accounts", "erased", "failed"] as const) total[name] += step[name];
      options.onStep?.(step);
      if (step.position >= step.size || options.signal?.aborted === true) return { ...step, ...total };
    }
  }

  /** Follows the log until the signal. Errors end it: the caller decides about trying again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const step = await this.step();
      if (step.position >= step.size) await sleep(IDLE_MS, undefined, { signal }).catch(() => {});
    }
  }

  #derive(from: number, size: number): Ahead {
    const to = Math.min(size, from + this.#leavesABatch);
    const derived = this.#deriver.derive(from, to);
    // Its error is thrown by the step that needs it; until then it must not count as unhandled.
    derived.catch(() => {});
    return { from, to, derived };
  }
}
