// Do a window's mean features differ from a reference's? The kernel two-sample test, and its regularised form.

/** Mean and spread of single vectors of features, from a reference that the window is no part of. */
export interface Reference {
  readonly count: number;
  readonly mean: Float64Array;
  /** Lower Cholesky factor of the ridged covariance, row by row. */
  readonly factor: readonly Float64Array[];
}

/** Ridge added to the covariance's diagonal, as a share of the mean variance. */
const RIDGE = 0.02;

/** @param vectors at least two, of equal length. */
export function referenceOf(vectors: readonly ArrayLike<number>[], ridge: number = RIDGE): Reference {
  const length = vectors[0]?.length ?? 0;
  if (vectors.length < 2) throw new RangeError(`expected two vectors or more, got ${vectors.length}`);
  const mean = new Float64Array(length);
  for (const vector of vectors)
    for (let i = 0; i < length; i += 1) mean[i] = (mean[i] as number) + (vector[i] as number);
  for (let i = 0; i < length; i += 1) mean[i] = (mean[i] as number) / vectors.length;
  const covariance = Array.from({ length }, () => new Float64Array(length));
  const centred = new Float64Array(length);
  for (const vector of vectors) {
    for (let i = 0; i < length; i += 1) centred[i] = (vector[i] as number) - (mean[i] as number);
    for (let i = 0; i < length; i += 1) {
      const row = covariance[i] as Float64Array;
      const value = centred[i] as number;
      if (value === 0) continue;
      for (let j = 0; j <= i; j += 1) row[j] = (row[j] as number) + value * (centred[j] as number);
    }
  }
  let trace = 0;
  covariance.forEach((row, i) => {
    for (let j = 0; j <= i; j += 1) row[j] = (row[j] as number) / (vectors.length - 1);
    trace += row[i] as number;
  });
  const floor = Math.max((ridge * trace) / Math.max(1, length), 1e-12);
  covariance.forEach((row, i) => {
    row[i] = (row[i] as number) + floor;
  });
  return { count: vectors.length, mean, factor: cholesky(covariance) };
}

/** In place: L with L Lᵀ = the matrix, of which the lower half is read. */
function cholesky(lower: readonly Float64Array[]): readonly Float64Array[] {
  lower.forEach((row, i) => {
    for (let j = 0; j <= i; j += 1) {
      const other = lower[j] as Float64Array;
      let sum = row[j] as number;
      for (let k = 0; k < j; k += 1) sum -= (row[k] as number) * (other[k] as number);
      row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-15)) : sum / (other[j] as number);
    }
  });
  return lower;
}

/** A window: sum of its vectors' features, and how many there are. */
export interface Window {
  readonly sum: ArrayLike<number>;
  readonly count: number;
}

/**
 * MMD² between window and reference (Gretton et al. 2012) for the kernel whose features these are: the squared distance
 * of the means, times nm/(n+m), so that under the null its law depends on the counts no more.
 */
export function scaledMmd(window: Window, reference: Pick<Reference, "count" | "mean">): number {
  let square = 0;
  for (let i = 0; i < reference.mean.length; i += 1)
    square += ((window.sum[i] as number) / window.count - (reference.mean[i] as number)) ** 2;
  return square * scaleOf(window, reference);
}

/**
 * The same distance in units of the reference's own spread: kernel Fisher discriminant test (Harchaoui, Bach and
 * Moulines 2008), ridge-regularised Hotelling T². Where MMD² looks only along what varies most, a few prompts of one
 * narrow kind show in directions that hardly vary at all. Its null must be calibrated with the same statistic.
 */
export function fisherDistance(window: Window, reference: Reference): number {
  const { mean, factor } = reference;
  const solved = new Float64Array(mean.length);
  let square = 0;
  for (let i = 0; i < mean.length; i += 1) {
    const row = factor[i] as Float64Array;
    let value = (window.sum[i] as number) / window.count - (mean[i] as number);
    for (let k = 0; k < i; k += 1) value -= (row[k] as number) * (solved[k] as number);
    value /= row[i] as number;
    solved[i] = value;
    square += value * value;
  }
  return square * scaleOf(window, reference);
}

function scaleOf(window: Window, reference: Pick<Reference, "count">): number {
  return (window.count * reference.count) / (window.count + reference.count);
}
