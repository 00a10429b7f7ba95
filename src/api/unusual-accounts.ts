// How unlike its kind each account works, for lists and screens: ranked when someone asks, and kept for a while.
import { DEFAULT_LEVEL } from "../detect/hunt.ts";
import { mainStreamOf, type Ranking, type Unusual } from "../detect/unusual/rank-accounts.ts";
import { rankStored } from "../detect/unusual/rank-stored.ts";
import type { Store } from "../store/store.ts";
import type { UnusualView } from "./contract/accounts.ts";

/** A ranking reads a month of exchanges, and an hour more changes little of it. */
const KEPT_MS = 30 * 60_000;

export class UnusualAccounts {
  readonly #store: Pick<Store, "query">;
  readonly #clock: () => number;
  #kept: { readonly atMs: number; readonly ranking: Promise<Ranking> } | null = null;

  constructor({ store, clock }: { readonly store: Pick<Store, "query">; readonly clock: () => number }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Most unusual first; at most half an hour old. Several who ask at once wait for one. @throws StoreError */
  async ranking(): Promise<Ranking> {
    const nowMs = this.#clock();
    const kept = this.#kept;
    if (kept !== null && nowMs - kept.atMs < KEPT_MS) return kept.ranking;
    const ranking = rankStored(this.#store, { nowMs, level: DEFAULT_LEVEL });
    const mine = { atMs: nowMs, ranking };
    this.#kept = mine;
    try {
      return await ranking;
    } catch (error) {
      if (this.#kept === mine) this.#kept = null; // a failure is not kept: the next one who asks tries again
      throw error;
    }
  }

  /** One account's place; null where it had no answered exchange in the window. @throws StoreError */
  async of(account: string): Promise<UnusualView | null> {
    const { accounts, nowMs } = await this.ranking();
    const found = accounts.find((one) => one.account === account);
    return found === undefined ? null : viewOf(found, nowMs);
  }
}

export function viewOf(one: Unusual, nowMs: number): UnusualView {
  const { eValue, rank, kind, kindAccounts } = one;
  return { eValue, rank, kind, kindAccounts, mostly: mainStreamOf(one), at: new Date(nowMs).toISOString() };
}
