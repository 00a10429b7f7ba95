// Too even to be independent customers: loads that a balancer dealt out, against loads that people made.
import { logChoose, logFactorial, logGamma } from "./special.ts";

/**
 * e-value for "these counts were dealt out evenly" against the null "shares are broken-stick or more uneven".
 *
 * Null: given their sum, counts are Dirichlet-multinomial with concentration 1 (every split equally likely), the
 * boundary of the composite null of concentrations <= 1; loads of unrelated customers are far more uneven still
 * (log-normal, σ > 1). Alternative: equal mixture of concentrations 4, 16, 64 and 256. The likelihood ratio has
 * expectation 1 at the boundary, and less for the more uneven (checked by simulation). Returns ln e.
 *
 * Counts are of members who have the trait at all, so each is at least 1: 1 is taken off first.
 */
export function logEvennessEValue(counts: readonly number[]): number {
  if (counts.length < 2) return 0;
  const above = counts.map((count) => Math.max(0, count - 1));
  const total = above.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const logNull = -logChoose(total + above.length - 1, above.length - 1);
  const logs = ALTERNATIVES.map((concentration) => logDirichletMultinomial(above, total, concentration));
  const max = Math.max(...logs);
  const mixture = max + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - max), 0) / logs.length);
  return mixture - logNull;
}

const ALTERNATIVES = [4, 16, 64, 256] as const;

/** How much one member did, and for how long it had been there to do it (hours, or any unit). */
export interface Load {
  readonly count: number;
  readonly exposure: number;
}

/**
 * ln of the likelihood ratio of even rates against those of independent customers, where members joined at different
 * times: a member's count is Poisson with a rate drawn from a Gamma of shape 1 (exponential: the broken stick of
 * `logEvennessEValue`) or of shape 4, 16, 64 or 256 (equal mixture) with a common mean. The mean is set to its most
 * likely value on each side, so this is no e-value: use it to doubt a claim, not to make one.
 */
export function logRateEvenness(loads: readonly Load[]): number {
  const usable = loads.filter(({ exposure }) => exposure > 0);
  const total = usable.reduce((sum, { count }) => sum + count, 0);
  const exposure = usable.reduce((sum, load) => sum + load.exposure, 0);
  if (usable.length < 2 || total === 0) return 0;
  const means = MEAN_STEPS.map((step) => (step * total) / exposure);
  const best = (shape: number): number => {
    const whole = usable.reduce((sum, { count }) => sum + logWays(count, shape), 0);
    return whole + Math.max(...means.map((mean) => logRates(usable, mean, shape)));
  };
  const logs = ALTERNATIVES.map(best);
  const max = Math.max(...logs);
  return max + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - max), 0) / logs.length) - best(1);
}

/** Multiples of the pooled rate at which the likelihood is looked at: a factor of 16 to either side, 10 % apart. */
const MEAN_STEPS: readonly number[] = Array.from({ length: 61 }, (_, step) => 16 ** (step / 30 - 1));

/** What of a negative binomial's ln no rate changes. */
function logWays(count: number, shape: number): number {
  return logGamma(count + shape) - logGamma(shape) - logFactorial(count);
}

function logRates(loads: readonly Load[], mean: number, shape: number): number {
  let log = 0;
  for (const { count, exposure } of loads) {
    const expected = mean * exposure;
    log += shape * Math.log(shape / (shape + expected)) + count * Math.log(expected / (shape + expected));
  }
  return log;
}

function logDirichletMultinomial(counts: readonly number[], total: number, concentration: number): number {
  const strength = concentration * counts.length;
  let log = logGamma(total + 1) + logGamma(strength) - logGamma(total + strength);
  for (const count of counts) {
    log += logWays(count, concentration);
  }
  return log;
}
