// How far beyond its peers one value lies, when peers are heavy-tailed and the value may be among the calibration data.

/** Peers below this many say nothing about a tail. */
const MIN_PEERS = 20;
/** Share of the peers that make the tail, and the fewest of them. */
const TAIL_SHARE = 0.3;
const MIN_TAIL = 5;

/**
 * p-value of one positive value among `peers` (itself not among them) by Weissman's tail estimator (1978):
 * P(X > x) = (k/n) (x/u)^(-α) for x beyond u, the (k+1)-th largest peer, with α estimated by Hill (1975) from the k
 * largest peers. One standard error is taken off α (α (1 - 1/√k)), so that few peers claim little.
 * Below u the value is ranked among the peers (conformal p-value).
 *
 * Assumes: peers are independent and their upper tail is no heavier than Pareto; contamination of the peers by further
 * extreme values makes the p-value larger, never smaller.
 */
export function tailPValue(value: number, peers: readonly number[]): number {
  const ordered = peers.filter((peer) => peer > 0).sort((a, b) => b - a);
  const rank = (1 + peers.filter((peer) => peer >= value).length) / (peers.length + 1);
  const tail = Math.min(ordered.length - 1, Math.max(MIN_TAIL, Math.ceil(ordered.length * TAIL_SHARE)));
  const threshold = ordered[tail];
  if (peers.length < MIN_PEERS || tail < MIN_TAIL || threshold === undefined || value <= threshold)
    return rank;
  let excess = 0;
  for (const peer of ordered.slice(0, tail)) excess += Math.log(peer / threshold);
  if (excess <= 0) return rank;
  const index = (tail / excess) * Math.max(0.1, 1 - 1 / Math.sqrt(tail));
  return Math.min(rank, (tail / peers.length) * (value / threshold) ** -index);
}
