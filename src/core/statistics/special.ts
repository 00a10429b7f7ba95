// The special functions that the tests below stand on. Pure, double precision.

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** ln Γ(x) for x > 0, by Lanczos' approximation (g = 7, n = 9); relative error below 1e-13. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i += 1) sum += (LANCZOS[i] ?? 0) / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** ln B(a, b) for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** ln n! for n below its length, as far as they were asked for. */
const LOG_FACTORIALS = new Float64Array(2 ** 16).fill(Number.NaN);

/** ln n! for a whole n >= 0. */
export function logFactorial(n: number): number {
  const known = LOG_FACTORIALS[n] ?? Number.NaN;
  if (!Number.isNaN(known)) return known;
  const value = logGamma(n + 1);
  if (n < LOG_FACTORIALS.length) LOG_FACTORIALS[n] = value;
  return value;
}

/** ln of the binomial coefficient n over k, both whole. */
export function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** ln(Σ exp(x_i)) without overflow; -Infinity for an empty list. */
export function logSumExp(values: readonly number[]): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > max) max = value;
  if (max === Number.NEGATIVE_INFINITY) return max;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - max);
  return max + Math.log(sum);
}

/** P(Z > z) for a standard normal Z: complementary error function by continued fraction and series. */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  if (z < 3) return 0.5 - normalBody(z);
  // Laplace's continued fraction; 60 terms give full precision beyond z = 3.
  let fraction = 0;
  for (let k = 60; k >= 1; k -= 1) fraction = k / (z + fraction);
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI) / (z + fraction);
}

/** Φ(z) - 1/2 by its Taylor-like series (Marsaglia 2004). */
function normalBody(z: number): number {
  let term = z;
  let sum = z;
  for (let i = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && i < 200; i += 1) {
    term *= (z * z) / (2 * i + 1);
    sum += term;
  }
  return (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
}

/** P(X >= k) for X ~ Poisson(mean); exact sum, from the side that is shorter. */
export function poissonUpperTail(k: number, mean: number): number {
  if (k <= 0) return 1;
  if (mean <= 0) return 0;
  const logMean = Math.log(mean);
  let term = Math.exp(k * logMean - mean - logGamma(k + 1));
  let sum = 0;
  for (let i = k; term > 0 && i < k + 10_000; i += 1) {
    sum += term;
    term *= mean / (i + 1);
    if (i > mean && term < sum * 1e-17) break;
  }
  return Math.min(1, sum);
}

/** Coefficients of Acklam's rational approximations (2003): inside, and in the tails below `TAIL_BELOW`. */
const INSIDE_TOP = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
] as const;
const INSIDE_BOTTOM = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
] as const;
const TAIL_TOP = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
] as const;
const TAIL_BOTTOM = [
  0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1,
] as const;
const TAIL_BELOW = 0.02425;

/** z with P(Z <= z) = share, for 0 < share < 1; relative error below 1.2e-9. */
export function normalQuantile(share: number): number {
  if (share > 1 - TAIL_BELOW) return -normalQuantile(1 - share);
  if (share < TAIL_BELOW) {
    const q = Math.sqrt(-2 * Math.log(share));
    return horner(TAIL_TOP, q) / horner(TAIL_BOTTOM, q);
  }
  const q = share - 0.5;
  return (q * horner(INSIDE_TOP, q * q)) / horner(INSIDE_BOTTOM, q * q);
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
