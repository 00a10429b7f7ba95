// How far beyond its peers one value lies, when peers are heavy-tailed and the value may be among the calibration data.
import { countBelow } from "./ordered.ts";

/** Peers below this many say nothing about a tail. */
const MIN_PEERS = 20;
/** Share of the peers that make the tail, and the fewest of them. */
const TAIL_SHARE = 0.3;
const MIN_TAIL = 5;

/**
 * p-value of each of several values, not negative, against all others, by Weissman's tail estimator (1978):
 * P(X > x) = (k/n) (x/u)^(-α) for x beyond u, the (k+1)-th largest peer, with α estimated by Hill (1975) from the k
 * largest peers. One standard error is taken off α (α (1 - 1/√k)), so that few peers claim little.
 * Below u a value is ranked among its peers (conformal p-value).
 *
 * Assumes: values are independent and their upper tail is no heavier than Pareto; contamination of the peers by further
 * extreme values makes a p-value larger, never smaller.
 */
export function tailPValues(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0).sort((a, b) => b - a);
  const logs = [0];
  for (const value of positive) logs.push((logs.at(-1) ?? 0) + Math.log(value));
  const ascending = values.toSorted((a, b) => a - b);
  return values.map((value) => {
    const rank = (values.length - countBelow(ascending, value)) / values.length;
    return Math.min(rank, beyondPeers(value, values.length - 1, { positive, logs }));
  });
}

/** Estimated tail probability of a value that is itself among the positive ones, or 1 where it is in no tail. */
function beyondPeers(
  value: number,
  peers: number,
  { positive, logs }: { readonly positive: readonly number[]; readonly logs: readonly number[] },
): number {
  const others = positive.length - 1;
  const tail = Math.min(others - 1, Math.max(MIN_TAIL, Math.ceil(others * TAIL_SHARE)));
  // A value beyond the threshold is one of the tail + 1 largest; without it the next one takes its place.
  const threshold = positive[tail + 1];
  if (peers < MIN_PEERS || tail < MIN_TAIL || threshold === undefined || value <= threshold) return 1;
  const excess = (logs[tail + 1] ?? 0) - Math.log(value) - tail * Math.log(threshold);
  if (excess <= 0) return 1;
  const index = (tail / excess) * Math.max(0.1, 1 - 1 / Math.sqrt(tail));
  return (tail / peers) * (value / threshold) ** -index;
}
