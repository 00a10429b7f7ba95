// Judges how much one account has taken without ever repeating itself, against accounts of its own kind.
import { adjustedPValues } from "../../core/statistics/multiple-testing.ts";
import { tailPValues } from "../../core/statistics/tail.ts";

/** A row of the query. */
export interface AccountTake {
  readonly account: string;
  /** Different hours with any traffic. */
  readonly hours: number;
  readonly exchanges: number;
  /** Inputs that occurred exactly once, and the tokens of their answers. */
  readonly singles: number;
  readonly tokens: number;
  readonly sinceMs: number;
}

export interface CoverageParameters {
  /** Share of an account's inputs that must occur once: production traffic repeats itself. */
  readonly minSingleShare: number;
}

export interface Coverage {
  readonly take: AccountTake;
  /** Geometric mean of single inputs and answer tokens. */
  readonly score: number;
  readonly pValue: number;
  readonly adjusted: number;
  readonly peers: number;
  /** The largest score among its peers. */
  readonly runnerUp: number;
}

/**
 * One-sided outlier test of every account against all others that worked as long (the query's kind), leave-one-out:
 * score √(singles × tokens), tail p-value, Benjamini-Hochberg over all of them. Accounts that repeat themselves are
 * peers but are not tested. Pure.
 */
export function judgeCoverage(rows: readonly AccountTake[], parameters: CoverageParameters): Coverage[] {
  const scores = rows.map((row) => Math.sqrt(row.singles * row.tokens));
  const tails = tailPValues(scores);
  const [first = 0, second = 0] = scores.toSorted((a, b) => b - a);
  const judged = rows.flatMap((take, index): Omit<Coverage, "adjusted">[] => {
    if (take.singles < parameters.minSingleShare * take.exchanges) return [];
    const score = scores[index] ?? 0;
    const runnerUp = score === first ? second : first;
    return [{ take, score, pValue: tails[index] ?? 1, peers: rows.length - 1, runnerUp }];
  });
  const adjusted = adjustedPValues(judged.map((one) => one.pValue));
  return judged
    .map((one, index) => ({ ...one, adjusted: adjusted[index] ?? 1 }))
    .sort((a, b) => a.pValue - b.pValue || a.take.account.localeCompare(b.take.account));
}
