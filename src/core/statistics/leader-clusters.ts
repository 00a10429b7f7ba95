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
  let centres: Centre[] = [];
  for (const point of points) {
    const near = nearest(centres, centreOf(point), limit);
    if (near !== null) add(near, centreOf(point));
    else if (centres.length < MAX_LEADERS) centres.push(centreOf(point));
  }
  let groups: number[][] = [];
  for (let pass = 0; pass < options.passes; pass += 1) {
    const members = new Map<Centre, number[]>(joinNear(centres, limit).map((centre) => [centre, []]));
    points.forEach((point, index) => {
      const near = nearest(members.keys(), centreOf(point), limit);
      if (near !== null) members.get(near)?.push(index);
    });
    groups = [...members.values()].filter((group) => group.length > 0);
    centres = groups.map((group) =>
      joined(group.map((index) => points[index]).filter((p) => p !== undefined)),
    );
  }
  return groups;
}

/** Sum of so many points, and of their noise. */
interface Centre {
  readonly sum: Float64Array;
  count: number;
  noise: number;
}

function centreOf(point: NoisyPoint): Centre {
  return { sum: Float64Array.from(point.vector), count: 1, noise: point.noise };
}

function add(to: Centre, from: Centre): void {
  for (let d = 0; d < to.sum.length; d += 1) to.sum[d] = (to.sum[d] ?? 0) + (from.sum[d] ?? 0);
  to.count += from.count;
  to.noise += from.noise;
}

function joined(points: readonly NoisyPoint[]): Centre {
  const [first, ...rest] = points;
  const centre = centreOf(first ?? { vector: [], noise: 0 });
  for (const point of rest) add(centre, centreOf(point));
  return centre;
}

function joinNear(centres: readonly Centre[], limit: number): Centre[] {
  const kept: Centre[] = [];
  for (const centre of [...centres].sort((a, b) => b.count - a.count)) {
    const near = nearest(kept, centre, limit);
    if (near === null) kept.push(centre);
    else add(near, centre);
  }
  return kept;
}

function nearest(centres: Iterable<Centre>, point: Centre, limit: number): Centre | null {
  let best: Centre | null = null;
  let least = limit;
  for (const centre of centres) {
    // The mean of m noisy points is off by an m-th of their mean noise.
    let square = -point.noise / point.count ** 2 - centre.noise / centre.count ** 2;
    for (let d = 0; d < point.sum.length && square <= least; d += 1) {
      square += ((point.sum[d] ?? 0) / point.count - (centre.sum[d] ?? 0) / centre.count) ** 2;
    }
    if (square <= least) {
      least = square;
      best = centre;
    }
  }
  return best;
}
