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
  #ahead: Ahead | null = null;

  constructor(options: PumpOptions) {
    this.#log = options.log;
    this.#store = options.store;
    this.#deriver =
      "deriver" in options ? options.deriver : new Derivation(options.log, options.features, options);
    this.#leavesABatch = options.leavesABatch ?? LEAVES_A_BATCH;
  }

  /** Takes one batch in. @throws LogError, StoreError: nothing is lost, the next step tries the same batch again */
  async step(): Promise<Step> {
    const from = await this.#store.position();
    const size = await this.#log.size();
    if (from >= size) return { exchanges: 0, accounts: 0, erased: 0, failed: 0, position: from, size };
    let ahead = this.#ahead?.from === from ? this.#ahead : this.#derive(from, size);
    this.#ahead = null;
    const later = (await ahead.derived).tombstones.find(({ index }) => index > from);
    // A batch ends before a tombstone, which then begins the next one: all that it is about is in the store by then.
    if (later !== undefined) ahead = this.#derive(from, later.index);
    const { lines, tombstones, ...counts } = await ahead.derived;
    if (ahead.to < size) this.#ahead = this.#derive(ahead.to, size);
    for (const tombstone of tombstones) await this.#erase(tombstone);
    await this.#store.insertBatch({ lines, position: ahead.to });
    return { ...counts, position: ahead.to, size };
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
