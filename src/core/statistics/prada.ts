// The distances that PRADA looks at: of each query to what was asked of the same class before.

export interface ClassifiedPoint {
  readonly point: readonly number[];
  readonly label: number;
}

/** A class with fewer queries has no set to be near to. */
const MIN_CLASS = 10;

/**
 * Least distances of queries to the growing set of their class (Juuti, Szyller, Dmitrenko, Marchal and Asokan 2019,
 * arXiv 1805.02628): a query joins the set when it is farther away than its threshold, which is the largest so far of
 * mean minus standard deviation of the set's own distances. Distances beyond three standard deviations are left out, as
 * they do.
 */
export function pradaDistances(queries: readonly ClassifiedPoint[]): number[] {
  const distances: number[] = [];
  for (const own of Map.groupBy(queries, (query) => query.label).values()) {
    if (own.length >= MIN_CLASS) distances.push(...classDistances(own));
  }
  return withoutOutliers(distances);
}

function classDistances(queries: readonly ClassifiedPoint[]): number[] {
  const kept: (readonly number[])[] = [];
  const distances: number[] = [];
  let [threshold, joined, sum, squares] = [0, 0, 0, 0];
  for (const { point } of queries) {
    if (kept.length === 0) {
      kept.push(point);
      continue;
    }
    const least = Math.sqrt(
      kept.reduce((min, other) => Math.min(min, squaredDistance(point, other)), Infinity),
    );
    distances.push(least);
    if (least <= threshold) continue;
    kept.push(point);
    joined += 1;
    sum += least;
    squares += least * least;
    const mean = sum / joined;
    threshold = Math.max(threshold, mean - Math.sqrt(Math.max(0, squares / joined - mean * mean)));
  }
  return distances;
}

function withoutOutliers(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.filter((value) => Math.abs(value - mean) <= 3 * deviation);
}

export function squaredDistance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
