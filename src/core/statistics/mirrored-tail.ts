// Where honest values end, when strange ones can only lie above: the upper tail is read off the lower half.
import { logChoose, logSumExp } from "./special.ts";

export interface MirroredTail {
  readonly middle: number;
  /** Standard deviation of the normal that fits the lower half best or is wider. */
  readonly scale: number;
  /** Beyond it lies at most `TAIL_SHARE` of the null. */
  readonly limit: number;
}

/** Share of the null beyond the limit, and how many standard deviations that is. */
export const TAIL_SHARE = 0.01;
const TAIL_DEVIATIONS = 2.3263;
/** Quantiles of the lower half and how many standard deviations below the middle a normal has them. */
const LOWER: readonly { readonly share: number; readonly deviations: number }[] = [
  { share: 0.05, deviations: 1.6449 },
  { share: 0.16, deviations: 0.9945 },
];
const LEAST_SCALE = 1e-9;

/**
 * An empirical null (Efron 2004) that strange values above cannot reach: the median, and the larger of two scales read
 * off the lower quantiles. Assumes that null values are symmetric about their median or lighter above, with normal
 * tails, and that fewer than half of all values are strange. Strange values raise the median and the scale, and so
 * the limit.
 */
export function mirroredTail(values: readonly number[]): MirroredTail {
  const ordered = [...values].sort((a, b) => a - b);
  const quantile = (share: number): number => ordered[Math.floor(share * (ordered.length - 1))] ?? 0;
  const middle = quantile(0.5);
  const scales = LOWER.map(({ share, deviations }) => (middle - quantile(share)) / deviations);
  const scale = Math.max(LEAST_SCALE, ...scales);
  return { middle, scale, limit: middle + TAIL_DEVIATIONS * scale };
}

/**
 * The limit is itself estimated from so many values: its standard error is about sqrt(7.5 / count) deviations (the
 * median's 1.57 and the lower quantile's 1.1 times the squared limit), and a normal's tail there shrinks by a factor
 * of e for each 1 / 2.65 deviations.
 */
const LIMIT_VARIANCE = 7.5;
const TAIL_HAZARD = 2.65;
/** Points at which the limit's error is averaged over, in standard errors. */
const ERROR_POINTS: readonly number[] = [-3, -2.25, -1.5, -0.75, 0, 0.75, 1.5, 2.25, 3];

/**
 * p-value of so many of `of` independent values beyond the limit: binomial upper tail, averaged over the error of
 * the limit.
 */
export function tailExcess(
  beyond: number,
  { of: count, estimatedFrom }: { readonly of: number; readonly estimatedFrom: number },
): number {
  if (beyond <= 0) return 1;
  const spread = TAIL_HAZARD * Math.sqrt(LIMIT_VARIANCE / estimatedFrom);
  let [total, weights] = [0, 0];
  for (const point of ERROR_POINTS) {
    const weight = Math.exp(-(point ** 2) / 2);
    total += weight * binomialTail(beyond, count, Math.min(0.5, TAIL_SHARE * Math.exp(spread * point)));
    weights += weight;
  }
  return Math.min(1, total / weights);
}

function binomialTail(hits: number, count: number, share: number): number {
  const terms: number[] = [];
  for (let k = hits; k <= count; k += 1) {
    terms.push(logChoose(count, k) + k * Math.log(share) + (count - k) * Math.log1p(-share));
  }
  return Math.min(1, Math.exp(logSumExp(terms)));
}
