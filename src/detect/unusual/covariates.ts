// How an account talks to the API, as numbers by which kinds are learnt: none of them is a stream that is judged.
import type { AccountCounts } from "../../store/queries/account-counts.ts";

/** A doubling of a mean length weighs like 0.28 of a share. */
const LENGTH_WEIGHT = 0.4;

/** Shares with a system prompt, tools, sampling parameters and a limit; mean logarithms of lengths asked and answered. */
export function covariatesOf(row: AccountCounts): number[] {
  const total = Math.max(1, row.exchanges);
  const { withSystem, withTools, withSampling, withLimit, askedLog, answeredLog } = row;
  return [
    ...[withSystem, withTools, withSampling, withLimit].map((count) => count / total),
    ...[askedLog, answeredLog].map((sum) => (LENGTH_WEIGHT * sum) / total),
  ];
}

/** Names of the first four, and of the two lengths. */
export const SHARES_OF = ["a system prompt", "tools", "sampling parameters", "an answer limit"] as const;
export const LENGTHS_OF = ["characters asked", "tokens answered"] as const;

/** The length at which a cut of a mean logarithm lies. */
export function lengthAt(cut: number): number {
  return Math.exp(cut / LENGTH_WEIGHT) - 1;
}
