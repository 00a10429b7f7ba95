// What the accounts of a finding may have taken: between what was asked like a list, and everything that was served.
import type { Readable } from "./claims/claim.ts";

export interface TakeBound {
  readonly exchanges: number;
  /** Tokens of the answers. */
  readonly tokens: number;
  readonly skeletons: number;
}

export interface Take {
  /** First turns that were asked at one sitting and never again: what working through a list leaves. */
  readonly atLeast: TakeBound;
  /** Everything that was served to these accounts. */
  readonly atMost: TakeBound;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Some exchanges of the lower bound, from different accounts where possible. */
  readonly exemplars: readonly string[];
}

/** An input asked again within so many minutes is a retry or a further sample of one asking. */
const ONCE_MINUTES = 30;
const EXEMPLARS = 5;
const TIMEOUT_MS = 60_000;

const SELECT_TAKE = `
WITH asked AS
(
    SELECT
        account,
        input,
        count() AS exchanges,
        sum(completion_tokens) AS tokens,
        any(skeleton) AS skeleton,
        min(time) AS first,
        max(time) AS last,
        max(continued) AS continued,
        min(exchange) AS exemplar
    FROM exchange_features
    WHERE served AND account IN {accounts:Array(String)} AND time < fromUnixTimestamp64Milli({untilMs:Int64})
    GROUP BY account, input
),
parts AS
(
    SELECT *, NOT continued AND dateDiff('minute', first, last) < {onceMinutes:UInt32} AS once FROM asked
)
SELECT
    toFloat64(sum(exchanges)) AS allExchanges,
    toFloat64(sum(tokens)) AS allTokens,
    toFloat64(uniqExact(skeleton)) AS allSkeletons,
    toFloat64(sumIf(exchanges, once)) AS onceExchanges,
    toFloat64(sumIf(tokens, once)) AS onceTokens,
    toFloat64(uniqExactIf(skeleton, once)) AS onceSkeletons,
    toFloat64(toUnixTimestamp64Milli(min(first))) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(max(last))) AS lastMs,
    arraySlice(arraySort(groupUniqArrayIf({exemplars:UInt32})(exemplar, once)), 1, {exemplars:UInt32}) AS exemplars
FROM parts`;

interface TakeRow {
  readonly allExchanges: number;
  readonly allTokens: number;
  readonly allSkeletons: number;
  readonly onceExchanges: number;
  readonly onceTokens: number;
  readonly onceSkeletons: number;
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly exemplars: readonly string[];
}

/**
 * Bounds of what `accounts` took before `untilMs`, ms since the epoch. The interval is one of meaning, not of chance:
 * which of the served exchanges fed the campaign can't be known, that all of them lie between can.
 * @throws StoreError
 */
export async function takeOf(
  store: Readable,
  accounts: readonly string[],
  untilMs: number,
): Promise<Take | null> {
  const [row] = await store.query<TakeRow>(
    SELECT_TAKE,
    { accounts, untilMs, onceMinutes: ONCE_MINUTES, exemplars: EXEMPLARS },
    { timeoutMs: TIMEOUT_MS },
  );
  if (row === undefined || row.allExchanges === 0) return null;
  return {
    atLeast: { exchanges: row.onceExchanges, tokens: row.onceTokens, skeletons: row.onceSkeletons },
    atMost: { exchanges: row.allExchanges, tokens: row.allTokens, skeletons: row.allSkeletons },
    sinceMs: row.sinceMs,
    untilMs: row.lastMs,
    exemplars: row.exemplars,
  };
}
