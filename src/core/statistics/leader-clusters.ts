// Groups points that lie close together, in time linear in points and groups, and the same way every time.
import { type Breathe, withoutRest } from "./breathe.ts";

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
 * Cost: points × groups × dimensions × (passes + 1), and groups² × dimensions × passes; others have a turn meanwhile.
 */
export async function leaderClusters(
  points: readonly NoisyPoint[],
  options: { readonly radius: number; readonly passes: number; readonly breathe?: Breathe },
): Promise<number[][]> {
  const breathe = options.breathe ?? withoutRest;
  const limit = options.radius ** 2;
  const singles = Centres.of(points);
  const opened = new Centres(singles.dimensions, Math.min(points.length, MAX_LEADERS));
  for (let index = 0; index < points.length; index += 1) {
    const rest = breathe();
    if (rest !== undefined) await rest;
    const near = opened.nearest(singles, index, limit);
    if (near >= 0) opened.add(near, singles, index);
    else if (opened.count < MAX_LEADERS) opened.open(singles, index);
  }
  let centres = opened;
  let groups: number[][] = [];
  for (let pass = 0; pass < options.passes; pass += 1) {
    const kept = joinNear(centres, limit);
    const members: number[][] = Array.from({ length: kept.count }, () => []);
    for (let index = 0; index < points.length; index += 1) {
      const rest = breathe();
      if (rest !== undefined) await rest;
      members[kept.nearest(singles, index, limit)]?.push(index);
    }
    groups = members.filter((group) => group.length > 0);
    centres = new Centres(singles.dimensions, groups.length);
    for (const [at, group] of groups.entries()) {
      for (const [turn, index] of group.entries()) {
        if (turn === 0) centres.open(singles, index);
        else centres.add(at, singles, index);
      }
    }
  }
  return groups;
}

function joinNear(centres: Centres, limit: number): Centres {
  const kept = new Centres(centres.dimensions, centres.count);
  const order = Array.from({ length: centres.count }, (_, at) => at);
  for (const at of order.sort((a, b) => (centres.size[b] as number) - (centres.size[a] as number))) {
    const near = kept.nearest(centres, at, limit);
    if (near >= 0) kept.add(near, centres, at);
    else kept.open(centres, at);
  }
  return kept;
}

/** Coordinates that are summed before it is asked whether a centre can still be the nearest. */
const STRIDE = 8;

/**
 * Centres in flat arrays, which is what makes comparing every point with every centre quick: so many points, their sum,
 * their mean, and how far off (squared) the mean may lie by sampling alone. Indices are within `count`, so that no
 * value is ever missing.
 */
class Centres {
  readonly dimensions: number;
  readonly size: Float64Array;
  readonly #sums: Float64Array;
  readonly #means: Float64Array;
  readonly #noise: Float64Array;
  readonly #slack: Float64Array;
  count = 0;

  constructor(dimensions: number, most: number) {
    this.dimensions = dimensions;
    this.size = new Float64Array(most);
    this.#sums = new Float64Array(most * dimensions);
    this.#means = new Float64Array(most * dimensions);
    this.#noise = new Float64Array(most);
    this.#slack = new Float64Array(most);
  }

  static of(points: readonly NoisyPoint[]): Centres {
    const centres = new Centres(points[0]?.vector.length ?? 0, points.length);
    for (const [at, { vector, noise }] of points.entries()) {
      centres.#sums.set(vector, at * centres.dimensions);
      centres.#noise[at] = noise;
      centres.size[at] = 1;
    }
    centres.#means.set(centres.#sums);
    centres.#slack.set(centres.#noise);
    centres.count = points.length;
    return centres;
  }

  open(from: Centres, index: number): void {
    this.count += 1;
    this.add(this.count - 1, from, index);
  }

  add(to: number, from: Centres, index: number): void {
    const size = (this.size[to] as number) + (from.size[index] as number);
    const noise = (this.#noise[to] as number) + (from.#noise[index] as number);
    this.size[to] = size;
    this.#noise[to] = noise;
    // The mean of m noisy points is off by an m-th of their mean noise.
    this.#slack[to] = noise / size ** 2;
    const [own, other] = [to * this.dimensions, index * this.dimensions];
    for (let d = 0; d < this.dimensions; d += 1) {
      const sum = (this.#sums[own + d] as number) + (from.#sums[other + d] as number);
      this.#sums[own + d] = sum;
      this.#means[own + d] = sum / size;
    }
  }

  /** Index of the centre nearest to another's within the limit, or -1. */
  nearest(from: Centres, index: number, limit: number): number {
    const { dimensions, count } = this;
    const [means, others] = [this.#means, from.#means];
    const base = index * dimensions;
    let [best, least] = [-1, limit];
    for (let at = 0; at < count; at += 1) {
      let square = -(from.#slack[index] as number) - (this.#slack[at] as number);
      const own = at * dimensions;
      for (let begin = 0; begin < dimensions && square <= least; begin += STRIDE) {
        const end = Math.min(dimensions, begin + STRIDE);
        for (let d = begin; d < end; d += 1) {
          const difference = (others[base + d] as number) - (means[own + d] as number);
          square += difference * difference;
        }
      }
      if (square <= least) {
        least = square;
        best = at;
      }
    }
    return best;
  }
}
