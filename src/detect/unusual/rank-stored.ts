// The ranking of all accounts in the store, as of a given time.
import { type AccountCounts, SELECT_ACCOUNT_COUNTS } from "../../store/queries/account-counts.ts";
import type { Readable } from "../claims/claim.ts";
import { type Ranking, type RankOptions, rankAccounts } from "./rank-accounts.ts";

/** As the detectors': older traffic says little about what an account is now. */
const WINDOW_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 60_000;

/**
 * As of the last full hour: an hour is a trial when it is over. Reads nothing later; one row an account leaves the
 * store. @throws StoreError
 */
export async function rankStored(store: Readable, options: RankOptions): Promise<Ranking> {
  const nowMs = Math.floor(options.nowMs / HOUR_MS) * HOUR_MS;
  const fromMs = Math.max(0, Math.trunc(nowMs - WINDOW_MS));
  const rows = await store.query<AccountCounts>(
    SELECT_ACCOUNT_COUNTS,
    { fromMs, nowMs },
    { timeoutMs: TIMEOUT_MS },
  );
  return rankAccounts(rows, { ...options, nowMs });
}
