// Counts that vary more than chance: the null model for "how many of those who share this would do that anyway".
import { logBeta, logChoose } from "./special.ts";

/** Share of successes of a random group is Beta(alpha, beta). */
export interface BetaShape {
  readonly alpha: number;
  readonly beta: number;
}

/** `hits` of `size` in one group. */
export interface GroupCount {
  readonly hits: number;
  readonly size: number;
}

/** ln P(X = hits), X ~ BetaBinomial(size, alpha, beta). */
export function logBetaBinomial(count: GroupCount, shape: BetaShape): number {
  const { hits, size } = count;
  return (
    logChoose(size, hits) +
    logBeta(hits + shape.alpha, size - hits + shape.beta) -
    logBeta(shape.alpha, shape.beta)
  );
}

/** P(X >= hits): the p-value of a group against the shape of the others. */
export function betaBinomialUpperTail({ hits, size }: GroupCount, shape: BetaShape): number {
  return hits <= 0 ? 1 : Math.min(1, Math.exp(logMassBetween(size, shape, hits, size)));
}

/** Where a running product is brought back to 1, far from overflow. */
const RESCALE_ABOVE = 1e200;

/**
 * ln P(from <= X <= to), X ~ BetaBinomial(size, alpha, beta). Each term comes from the one before:
 * P(x + 1) / P(x) = (size - x)(x + alpha) / ((x + 1)(size - x - 1 + beta)).
 */
function logMassBetween(size: number, shape: BetaShape, from: number, to: number): number {
  const { alpha, beta } = shape;
  let logScale = logBetaBinomial({ hits: from, size }, shape);
  let [term, sum] = [1, 1];
  for (let x = from; x < to; x += 1) {
    const ratio = ((size - x) * (x + alpha)) / ((x + 1) * (size - x - 1 + beta));
    term *= ratio;
    sum += term;
    if (term > RESCALE_ABOVE) {
      logScale += Math.log(term);
      sum /= term;
      term = 1;
    }
  }
  return logScale + Math.log(sum);
}

/**
 * Bounds of mean and intra-group correlation. A null with correlation 0 would claim what no data can; one with mean 0
 * would make the first honest hit an accusation.
 */
const MEAN = { from: 0.005, to: 0.9 } as const;
const CORRELATION = { from: 0.02, to: 0.6 } as const;
/** Points a side of the first grid, and how often it is refined around the best point: final step below 3 %. */
const GRID_POINTS = 7;
const REFINEMENTS = 4;

/** What is believed before any data: one group in which one of four had the trait. Little data then claims little. */
const PRIOR: GroupCount = { hits: 1, size: 4 };

/**
 * Maximum-likelihood shape in mean m and intra-group correlation ρ (alpha = m(1-ρ)/ρ), by a grid that is refined
 * around its best point, with one pseudo-group as prior.
 *
 * Assumes that groups are independent given the shape and that most of them are null: see `fitRobust`.
 */
export function fitBetaBinomial(counts: readonly GroupCount[]): BetaShape {
  const data = weighted(counts);
  let center = {
    mean: Math.sqrt(MEAN.from * MEAN.to),
    correlation: Math.sqrt(CORRELATION.from * CORRELATION.to),
  };
  let reach = {
    mean: Math.sqrt(MEAN.to / MEAN.from),
    correlation: Math.sqrt(CORRELATION.to / CORRELATION.from),
  };
  for (let round = 0; round <= REFINEMENTS; round += 1) {
    let best = center;
    let bestLog = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < GRID_POINTS; i += 1) {
      const mean = clamp(center.mean * reach.mean ** ((2 * i) / (GRID_POINTS - 1) - 1), MEAN);
      for (let j = 0; j < GRID_POINTS; j += 1) {
        const factor = reach.correlation ** ((2 * j) / (GRID_POINTS - 1) - 1);
        const correlation = clamp(center.correlation * factor, CORRELATION);
        const log = logLikelihood(data, shapeOf(mean, correlation));
        if (log > bestLog) {
          bestLog = log;
          best = { mean, correlation };
        }
      }
    }
    center = best;
    reach = { mean: Math.sqrt(reach.mean), correlation: Math.sqrt(reach.correlation) };
  }
  return shapeOf(center.mean, center.correlation);
}

/** Equal counts once, with their number and what of their likelihood no shape changes. */
type Weighted = readonly {
  readonly count: GroupCount;
  readonly weight: number;
  readonly logWays: number;
}[];

/** With the prior's pseudo-group. */
function weighted(counts: readonly GroupCount[]): Weighted {
  const weights = new Map<string, { count: GroupCount; weight: number; logWays: number }>();
  for (const count of [...counts, PRIOR]) {
    const key = `${count.hits}/${count.size}`;
    const known = weights.get(key);
    if (known === undefined)
      weights.set(key, { count, weight: 1, logWays: logChoose(count.size, count.hits) });
    else known.weight += 1;
  }
  return [...weights.values()];
}

function shapeOf(mean: number, correlation: number): BetaShape {
  const strength = (1 - correlation) / correlation;
  return { alpha: mean * strength, beta: (1 - mean) * strength };
}

function clamp(value: number, bounds: { readonly from: number; readonly to: number }): number {
  return Math.min(bounds.to, Math.max(bounds.from, value));
}

function logLikelihood(data: Weighted, shape: BetaShape): number {
  const { alpha, beta } = shape;
  const logNorm = logBeta(alpha, beta);
  let total = 0;
  for (const { count, weight, logWays } of data) {
    total += weight * (logWays + logBeta(count.hits + alpha, count.size - count.hits + beta) - logNorm);
  }
  return total;
}

/** The null groups' shape, and those shapes that explain them nearly as well. */
export interface RobustFit {
  readonly shape: BetaShape;
  readonly plausible: readonly BetaShape[];
}

/** Log-likelihood below the best at which a shape is still plausible: one standard error in each direction. */
const PLAUSIBLE_DROP = 0.5;
/** Points a side of the grid over all shapes from which the plausible ones are taken. */
const PLAUSIBLE_POINTS = 13;
/** p-values above this decide nothing: the worst shape is looked for below it alone. */
const DECIDES_BELOW = 0.05;

/**
 * The shape of the null groups in a mixture: fits, sets aside groups whose p-value is below `setAside`, fits again,
 * until nothing changes. Starts from the groups below the median share, so that contamination below one half of the
 * groups cannot carry the first fit.
 *
 * What is set aside wrongly (a share `setAside` of null groups) makes the fitted tail lighter by about that share;
 * p-values below `setAside` are therefore used only for decisions far below it, and the simulation in the test suite
 * measures the remaining error.
 */
export function fitRobust(counts: readonly GroupCount[], options: { readonly setAside: number }): RobustFit {
  const ordered = [...counts].sort((a, b) => a.hits / a.size - b.hits / b.size);
  let kept = ordered.slice(0, Math.ceil(ordered.length / 2));
  let shape = fitBetaBinomial(kept);
  for (let round = 0; round < 12; round += 1) {
    const next = ordered.filter((count) => betaBinomialUpperTail(count, shape) >= options.setAside);
    if (next.length === kept.length) break;
    kept = next;
    shape = fitBetaBinomial(kept);
  }
  return { shape, plausible: plausibleShapes(weighted(kept), shape) };
}

/** Share of a group's members up to which hits say what the null does; campaigns lie above. */
export const LOWER_PART = 0.5;

/**
 * The shape of the null groups in a mixture, read off the groups of which at most half have the trait: maximum
 * likelihood of the beta-binomial truncated there. Whatever lies above, however much of it, has no influence; what is
 * foreign below it has.
 */
export function fitLowerPart(counts: readonly GroupCount[]): RobustFit {
  const data = weighted(counts.filter(({ hits, size }) => hits <= LOWER_PART * size));
  const sizes = [...new Set(data.map(({ count }) => count.size))];
  let best = { log: Number.NEGATIVE_INFINITY, shape: NO_FIT.shape };
  const tried = gridOf((shape) => {
    const norms = new Map(sizes.map((size) => [size, logLowerMass(size, shape)]));
    let log = logLikelihood(data, shape);
    for (const { count, weight } of data) log -= weight * (norms.get(count.size) ?? 0);
    if (log > best.log) best = { log, shape };
    return log;
  });
  return {
    shape: best.shape,
    plausible: tried.filter(({ log }) => log >= best.log - PLAUSIBLE_DROP).map(({ shape }) => shape),
  };
}

/** ln P(X <= LOWER_PART * size). */
function logLowerMass(size: number, shape: BetaShape): number {
  return logMassBetween(size, shape, 0, Math.floor(LOWER_PART * size));
}

function gridOf(logOf: (shape: BetaShape) => number): { shape: BetaShape; log: number }[] {
  const found: { shape: BetaShape; log: number }[] = [];
  const between = (bounds: { readonly from: number; readonly to: number }, at: number): number =>
    bounds.from * (bounds.to / bounds.from) ** (at / (PLAUSIBLE_POINTS - 1));
  for (let i = 0; i < PLAUSIBLE_POINTS; i += 1) {
    for (let j = 0; j < PLAUSIBLE_POINTS; j += 1) {
      const shape = shapeOf(between(MEAN, i), between(CORRELATION, j));
      found.push({ shape, log: logOf(shape) });
    }
  }
  return found;
}

function plausibleShapes(data: Weighted, best: BetaShape): BetaShape[] {
  const least = logLikelihood(data, best) - PLAUSIBLE_DROP;
  return gridOf((shape) => logLikelihood(data, shape)).flatMap(({ log, shape }) =>
    log >= least ? [shape] : [],
  );
}

/**
 * p-value of a group against a fitted null: the largest over all plausible shapes, since few groups say little about
 * theirs (after Berger and Boos 1994).
 */
export function fittedUpperTail(count: GroupCount, fit: RobustFit): number {
  const pValue = betaBinomialUpperTail(count, fit.shape);
  if (pValue > DECIDES_BELOW) return pValue;
  return fit.plausible.reduce((most, shape) => Math.max(most, betaBinomialUpperTail(count, shape)), pValue);
}

/** What is believed of groups without any: half of them have the trait, all or nothing. */
export const NO_FIT: RobustFit = { shape: { alpha: 1, beta: 1 }, plausible: [] };
