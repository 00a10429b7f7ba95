// How far a sample is from a normal one: Shapiro and Wilk's W, as PRADA reads it of distances between queries.
import { normalQuantile } from "./special.ts";

/** Coefficients of Royston's polynomials for the two outer weights, in 1/√n. */
const OUTER = [-2.706056, 4.434685, -2.07119, -0.147981, 0.221157] as const;
const NEXT = [-3.582633, 5.682633, -1.752461, -0.293762, 0.042981] as const;
const MIN_VALUES = 6;

/**
 * W of Shapiro and Wilk (1965) with Royston's weights (1992, 1995): 1 for a sample that lies as a normal one would,
 * less the less it does. NaN for fewer than six values or when all are equal.
 */
export function shapiroWilk(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  const count = ordered.length;
  if (count < MIN_VALUES) return Number.NaN;
  const expected = ordered.map((_, at) => normalQuantile((at + 1 - 0.375) / (count + 0.25)));
  const square = sumOfSquares(expected);
  const root = 1 / Math.sqrt(count);
  const last = (expected[count - 1] ?? 0) / Math.sqrt(square) + polynomial(OUTER, root);
  const next = (expected[count - 2] ?? 0) / Math.sqrt(square) + polynomial(NEXT, root);
  const outer = 2 * (expected[count - 1] ?? 0) ** 2 + 2 * (expected[count - 2] ?? 0) ** 2;
  const scale = Math.sqrt((square - outer) / (1 - 2 * last ** 2 - 2 * next ** 2));
  const weights = expected.map((value) => value / scale);
  weights[count - 1] = last;
  weights[count - 2] = next;
  weights[0] = -last;
  weights[1] = -next;
  const mean = ordered.reduce((sum, value) => sum + value, 0) / count;
  const spread = ordered.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (spread <= 1e-12 * mean * mean || spread === 0) return Number.NaN;
  const slope = ordered.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0);
  return Math.min(1, slope ** 2 / spread);
}

/** Σ coefficient × root^power, the highest power (5) first. */
function polynomial(coefficients: readonly number[], root: number): number {
  return coefficients.reduce((sum, coefficient, at) => sum + coefficient * root ** (5 - at), 0);
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
