// Groups points that lie close together, in time linear in points and groups, and the same way every time.

/** A point and how far off it may lie by sampling alone. */
export interface NoisyPoint {
  readonly vector: readonly number[];
  /** Expected squared distance of the vector from what it estimates. */
  readonly noise: number;
}

/** Groups that a pass may open; further points beyond every radius stay alone. */
const MAX_LEADERS = 4_096;

/**
 * Leader clustering (Hartigan 1975, ch. 3) with reassignment: points in the order given join the nearest centre whose
 * squared distance, less the sampling noise, is at most `radius`², or open a group; then, `passes` times, groups whose
 * means lie as close are joined (the larger first), and every point is assigned anew to the nearest mean. Returns
 * indices by group, in order; points beyond every radius are in none. Give the most precise points first.
 * Cost: points × groups × dimensions × (passes + 1), and groups² × dimensions × passes.
 */
export function leaderClusters(
  points: readonly NoisyPoint[],
  options: { readonly radius: number; readonly passes: number },
): number[][] {
  const limit = options.radius ** 2;
  const singles = points.map(centreOf);
  let centres: Centre[] = [];
  for (const single of singles) {
    const near = centres[nearest(centres, single, limit)];
    if (near !== undefined) add(near, single);
    else if (centres.length < MAX_LEADERS) centres.push(joined([single]));
  }
  let groups: number[][] = [];
  for (let pass = 0; pass < options.passes; pass += 1) {
    const kept = joinNear(centres, limit);
    const members: number[][] = kept.map(() => []);
    for (const [index, single] of singles.entries()) members[nearest(kept, single, limit)]?.push(index);
    groups = members.filter((group) => group.length > 0);
    centres = groups.map((group) => joined(group.flatMap((index) => singles[index] ?? [])));
  }
  return groups;
}

/** So many points: their sum, their mean, and how far off (squared) the mean may lie by sampling alone. */
interface Centre {
  readonly sum: Float64Array;
  readonly mean: Float64Array;
  count: number;
  noise: number;
  slack: number;
}

function centreOf(point: NoisyPoint): Centre {
  const sum = Float64Array.from(point.vector);
  return { sum, mean: sum.slice(), count: 1, noise: point.noise, slack: point.noise };
}

function add(to: Centre, from: Centre): void {
  to.count += from.count;
  to.noise += from.noise;
  // The mean of m noisy points is off by an m-th of their mean noise.
  to.slack = to.noise / to.count ** 2;
  for (let d = 0; d < to.sum.length; d += 1) {
    const sum = (to.sum[d] ?? 0) + (from.sum[d] ?? 0);
    to.sum[d] = sum;
    to.mean[d] = sum / to.count;
  }
}

function joined([first, ...others]: readonly Centre[]): Centre {
  const centre: Centre =
    first === undefined
      ? centreOf({ vector: [], noise: 0 })
      : { ...first, sum: first.sum.slice(), mean: first.mean.slice() };
  for (const other of others) add(centre, other);
  return centre;
}

function joinNear(centres: readonly Centre[], limit: number): Centre[] {
  const kept: Centre[] = [];
  for (const centre of [...centres].sort((a, b) => b.count - a.count)) {
    const near = kept[nearest(kept, centre, limit)];
    if (near === undefined) kept.push(centre);
    else add(near, centre);
  }
  return kept;
}

/** Index of the nearest centre within the limit, or -1. */
function nearest(centres: readonly Centre[], point: Centre, limit: number): number {
  let best = -1;
  let least = limit;
  const { mean } = point;
  for (let at = 0; at < centres.length; at += 1) {
    const centre = centres[at];
    if (centre === undefined) break;
    let square = -point.slack - centre.slack;
    for (let d = 0; d < mean.length && square <= least; d += 1) {
      square += ((mean[d] ?? 0) - (centre.mean[d] ?? 0)) ** 2;
    }
    if (square <= least) {
      least = square;
      best = at;
    }
  }
  return best;
}
