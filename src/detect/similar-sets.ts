// All pairs of sets that have much in common, without comparing every pair: what everybody holds is looked at last.

/**
 * Pairs of indices (a < b) whose sets have a Jaccard similarity of at least `least` (above 0). Exact. Prefix filtering
 * (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007): with members in order of rarity, two such sets
 * share a member among the first |S| - ceil(least |S|) + 1 of each, so that only these are indexed. Members of a set
 * must differ.
 */
export function* similarSets(
  sets: readonly (readonly string[])[],
  least: number,
): Generator<readonly [number, number]> {
  const frequency = new Map<string, number>();
  for (const set of sets) for (const member of set) frequency.set(member, (frequency.get(member) ?? 0) + 1);
  const rarity = (a: string, b: string): number =>
    (frequency.get(a) ?? 0) - (frequency.get(b) ?? 0) || (a < b ? -1 : 1);
  const holders = new Map<string, number[]>();
  for (const [index, set] of sets.entries()) {
    const prefix = [...set].sort(rarity).slice(0, set.length - Math.ceil(least * set.length) + 1);
    const candidates = new Set(prefix.flatMap((member) => holders.get(member) ?? []));
    const own = new Set(set);
    for (const other of candidates) {
      const common = sets[other]?.reduce((count, member) => count + (own.has(member) ? 1 : 0), 0) ?? 0;
      if (common >= least * (own.size + (sets[other]?.length ?? 0) - common)) yield [other, index];
    }
    for (const member of prefix) {
      const known = holders.get(member);
      if (known === undefined) holders.set(member, [index]);
      else known.push(index);
    }
  }
}
