// How unlike its kind an account is that shows a trait again and again: evidence that may be read after every trial.
import type { BetaShape, GroupCount } from "./beta-binomial.ts";
import { logBeta } from "./special.ts";

/** A kind's accounts: most have rates Beta(alpha, beta), a share of them has the higher rates of another sort. */
export interface RateNull extends BetaShape {
  readonly share: number;
}

/** Means and intra-account correlations of the shapes that are tried; a correlation of 0.92 is nearly all or nothing. */
const MEANS = [0.01, 0.03, 0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92, 0.97, 0.99] as const;
const CORRELATIONS = [0.01, 0.03, 0.08, 0.2, 0.4, 0.6, 0.8, 0.92] as const;
/** Shares of the other sort that are tried: never none, because no number of accounts shows that there is none. */
const SHARES = [0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32] as const;
/** Log-likelihood below the best at which a null is still plausible: 95 % of one parameter. */
const PLAUSIBLE_DROP = 1.92;
/** Pseudo-trials, in units of the null's own, by which the other sort's rates lie higher. */
const STEPS = [2, 16] as const;
const LARGEST_LOG = 600;

/**
 * e-value of an account's trials so far against the plausible nulls of its kind: the least over them, hence an e-value
 * under each of them.
 *
 * Null: the account's rate of hits is drawn once, from Beta(a, b) or, with probability `share`, from the other sort,
 * Beta(a + s (a + b), min(b, 1)) for two s in equal shares; given the rate, trials are independent. The value is the
 * likelihood of the trials in their order under the other sort over that under the null, which depends on hits and
 * trials alone: computed anew after each trial, it is a martingale that begins at 1, and by Ville's inequality the
 * chance that it ever reaches 1/x is at most x. The other sort's rates dominate the null's in likelihood ratio, so that
 * after every past it expects more hits: an account whose chance of a hit, given its past, is at most what the null
 * predicts makes it a supermartingale.
 *
 * Never above 1/share: who the null holds among its own can't be far from it.
 */
export function rateEvidence(count: GroupCount, nulls: readonly RateNull[]): number {
  if (count.size === 0) return 1;
  return nulls.reduce((least, one) => {
    const { ratio } = likelihoodOf(count, sortsOf(one));
    return Math.min(least, ratio / (1 - one.share + one.share * ratio));
  }, Number.POSITIVE_INFINITY);
}

/**
 * Nulls that explain the counts of a kind's accounts nearly as well as the best one, likeliest first: maximum
 * likelihood of the mixture over a grid. Accounts of the other sort, attackers or honest, then hardly bend the shape,
 * however extreme they are, but they make their sort a part of the null: contamination never makes an honest account
 * look stranger, it hides the strange ones.
 */
export function plausibleNulls(counts: readonly GroupCount[]): readonly RateNull[] {
  const data = weighted(counts);
  const tried: { readonly one: RateNull; readonly log: number }[] = [];
  for (const mean of MEANS) {
    for (const correlation of CORRELATIONS) {
      const strength = (1 - correlation) / correlation;
      const shape = { alpha: mean * strength, beta: (1 - mean) * strength };
      const sorts = sortsOf(shape);
      const likely = data.map(({ count, weight }) => ({ weight, ...likelihoodOf(count, sorts) }));
      for (const share of SHARES) {
        const log = likely.reduce(
          (sum, { weight, usual, ratio }) => sum + weight * (usual + Math.log(1 - share + share * ratio)),
          0,
        );
        tried.push({ one: { ...shape, share }, log });
      }
    }
  }
  tried.sort((a, b) => b.log - a.log);
  const least = (tried[0]?.log ?? 0) - PLAUSIBLE_DROP;
  return tried.flatMap(({ one, log }) => (log >= least ? [one] : []));
}

/** A Beta shape with ln of its norm. */
interface Sort extends BetaShape {
  readonly logNorm: number;
}

/** The usual sort, and the other one's parts. */
function sortsOf({ alpha, beta }: BetaShape): { readonly usual: Sort; readonly others: readonly Sort[] } {
  const sort = (a: number, b: number): Sort => ({ alpha: a, beta: b, logNorm: logBeta(a, b) });
  const others = STEPS.map((step) => sort(alpha + step * (alpha + beta), Math.min(1, beta)));
  return { usual: sort(alpha, beta), others };
}

/** ln P(one sequence of trials with these counts) under the usual sort, and the other sort's likelihood over it. */
function likelihoodOf(
  count: GroupCount,
  { usual, others }: ReturnType<typeof sortsOf>,
): { readonly usual: number; readonly ratio: number } {
  const log = logMarginal(count, usual);
  const sum = others.reduce(
    (total, other) => total + Math.exp(Math.min(LARGEST_LOG, logMarginal(count, other) - log)),
    0,
  );
  return { usual: log, ratio: sum / others.length };
}

function logMarginal({ hits, size }: GroupCount, { alpha, beta, logNorm }: Sort): number {
  return logBeta(hits + alpha, size - hits + beta) - logNorm;
}

/** Equal counts once, with their number. */
function weighted(counts: readonly GroupCount[]): { readonly count: GroupCount; readonly weight: number }[] {
  const weights = new Map<string, { count: GroupCount; weight: number }>();
  for (const count of counts) {
    const key = `${count.hits}/${count.size}`;
    const known = weights.get(key);
    if (known === undefined) weights.set(key, { count, weight: 1 });
    else known.weight += 1;
  }
  return [...weights.values()];
}
