// Too even to be independent customers: loads that a balancer dealt out, against loads that people made.
import { logChoose, logGamma } from "./special.ts";

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

function logDirichletMultinomial(counts: readonly number[], total: number, concentration: number): number {
  const strength = concentration * counts.length;
  let log = logGamma(total + 1) + logGamma(strength) - logGamma(total + strength);
  for (const count of counts) {
    log += logGamma(count + concentration) - logGamma(concentration) - logGamma(count + 1);
  }
  return log;
}
