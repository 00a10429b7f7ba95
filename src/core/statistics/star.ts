// Whether versions of one thing stand round a centre or follow from each other: what tells probing from editing.

/** Versions in the order in which they came, as points of one length. */
export type Points = readonly (readonly number[])[];

/**
 * Mean squared distance of neighbours in time over that of all pairs: von Neumann's ratio (1941), halved, in several
 * dimensions. 1 in expectation for any exchangeable order (a centre and its neighbours, in any order of asking);
 * 3 / (n + 1) for n steps that add up (drafts, a walk). NaN when all points are the same, or fewer than two.
 */
export function starRatio(points: Points): number {
  const count = points.length;
  const first = points[0];
  if (first === undefined || count < 2) return Number.NaN;
  let [steps, spread] = [0, 0];
  for (let axis = 0; axis < first.length; axis += 1) {
    let [sum, squares] = [0, 0];
    for (let at = 0; at < count; at += 1) {
      const value = points[at]?.[axis] ?? 0;
      sum += value;
      squares += value * value;
      if (at > 0) steps += (value - (points[at - 1]?.[axis] ?? 0)) ** 2;
    }
    spread += squares - (sum * sum) / count;
  }
  // All pairs: the sum of squared distances is count times the spread.
  const pairs = (2 * spread) / (count - 1);
  return pairs < 1e-9 ? Number.NaN : steps / (count - 1) / pairs;
}
