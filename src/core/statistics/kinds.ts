// Learns kinds: cuts a population where it falls into two, again and again, so that each kind can be told in words.

export interface Cut {
  /** Which number of the vectors, and where: below, or from it on. */
  readonly dimension: number;
  readonly at: number;
  readonly isAbove: boolean;
}

export interface LearntKind {
  /** From the whole population to this kind. */
  readonly cuts: readonly Cut[];
  /** Indices into the vectors. */
  readonly members: readonly number[];
}

export interface KindOptions {
  /** No kind is smaller, unless the population is. */
  readonly minMembers: number;
  /** Share of the variance (of all dimensions) that a cut must explain. */
  readonly minExplained: number;
}

/**
 * Divisive clustering by monothetic cuts (Williams and Lambert 1959; the cut is Otsu's: the one that explains the most
 * variance of one dimension). Deterministic, n log n a level.
 */
export function learnKinds(vectors: readonly (readonly number[])[], options: KindOptions): LearntKind[] {
  const kinds: LearntKind[] = [];
  const open: LearntKind[] = [{ cuts: [], members: vectors.map((_, index) => index) }];
  for (let kind = open.pop(); kind !== undefined; kind = open.pop()) {
    const cut = bestCut(vectors, kind.members, options);
    if (cut === null) {
      kinds.push(kind);
      continue;
    }
    const isAbove = (index: number): boolean => (vectors[index]?.[cut.dimension] ?? 0) >= cut.at;
    for (const side of [true, false]) {
      open.push({
        cuts: [...kind.cuts, { ...cut, isAbove: side }],
        members: kind.members.filter((index) => isAbove(index) === side),
      });
    }
  }
  return kinds;
}

function bestCut(
  vectors: readonly (readonly number[])[],
  members: readonly number[],
  { minMembers, minExplained }: KindOptions,
): { readonly dimension: number; readonly at: number } | null {
  const count = members.length;
  if (count < 2 * minMembers) return null;
  let total = 0;
  let best = { explained: 0, dimension: 0, at: 0 };
  const dimensions = vectors[members[0] ?? 0]?.length ?? 0;
  for (let dimension = 0; dimension < dimensions; dimension += 1) {
    const values = Float64Array.from(members, (index) => vectors[index]?.[dimension] ?? 0).sort();
    let sum = 0;
    let squares = 0;
    for (const value of values) {
      sum += value;
      squares += value * value;
    }
    total += squares - sum ** 2 / count;
    let below = 0;
    for (let size = 1; size < count; size += 1) {
      const last = values[size - 1] as number;
      const next = values[size] as number;
      below += last;
      if (size < minMembers || count - size < minMembers || next <= last) continue;
      const explained = below ** 2 / size + (sum - below) ** 2 / (count - size) - sum ** 2 / count;
      if (explained > best.explained) best = { explained, dimension, at: (last + next) / 2 };
    }
  }
  return best.explained > 0 && best.explained >= minExplained * total ? best : null;
}
