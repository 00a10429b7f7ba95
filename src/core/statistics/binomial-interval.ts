// How far a counted share may be off: the exact interval for a binomial proportion.
import { logChoose, logSumExp } from "./special.ts";

export interface Interval {
  readonly from: number;
  readonly to: number;
}

const STEPS = 60;

/**
 * Clopper and Pearson (1934): covers the true share with at least `confidence`, whatever it is. `hits` of `trials`;
 * without trials nothing is known.
 */
export function shareInterval(hits: number, trials: number, confidence = 0.95): Interval {
  if (trials <= 0) return { from: 0, to: 1 };
  const side = (1 - confidence) / 2;
  return {
    from: hits <= 0 ? 0 : bisect((share) => upperTail(hits, trials, share) < side),
    to: hits >= trials ? 1 : bisect((share) => 1 - upperTail(hits + 1, trials, share) >= side),
  };
}

/** The largest share in [0, 1] for which `holds`, which must be true below it and false above. */
function bisect(holds: (share: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X >= hits), X ~ Binomial(trials, share), for 0 < share < 1. */
function upperTail(hits: number, trials: number, share: number): number {
  const terms: number[] = [];
  for (let x = hits; x <= trials; x += 1) {
    terms.push(logChoose(trials, x) + x * Math.log(share) + (trials - x) * Math.log1p(-share));
  }
  return Math.min(1, Math.exp(logSumExp(terms)));
}
