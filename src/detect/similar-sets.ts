// Pairs of sets that have much in common, without comparing every pair: MinHash, bands, and a check of what collides.

/** Bands of a signature, and its values in one: two sets are compared when they agree on all values of a band. */
const BANDS = 48;
const ROWS = 4;
/** Odd multipliers and offsets of the hash functions: any would do, as long as they stay the same. */
const SEEDS: readonly number[] = Array.from({ length: BANDS * ROWS }, (_, index) =>
  Math.imul(index + 1, 0x9e3779b1),
);

/**
 * Pairs of indices (a < b) whose sets have a Jaccard similarity of at least `least`; a pair that `isKnown` at the time
 * is left out. Candidates come from MinHash signatures in bands (Broder 1997; Indyk and Motwani 1998): two sets of
 * similarity s are compared with probability 1 - (1 - s^4)^48, .95 at one half and over .999 from .61 on; equal sets
 * always. Deterministic.
 *
 * @param sets hashes of members (32 bits), ascending, each once; of a set with more than `limit` members the `limit`
 *   smallest (a bottom-k sketch: Cohen and Kaplan 2007). Between whole sets the similarity is exact; where one is cut,
 *   the share of common ones among the `limit` smallest of both estimates it, with a standard error of at most
 *   1 / (2 sqrt(limit)).
 */
export function* similarSets(
  sets: readonly (readonly number[])[],
  options: {
    readonly least: number;
    readonly limit: number;
    /** Of each set only members below this are known (default: all). Two sets are compared as far as both are known. */
    readonly bounds?: readonly number[];
    readonly isKnown?: (a: number, b: number) => boolean;
  },
): Generator<readonly [number, number]> {
  const { least, limit, bounds = [], isKnown = () => false } = options;
  const boundOf = (index: number): number => bounds[index] ?? Number.POSITIVE_INFINITY;
  const buckets = Array.from({ length: BANDS }, () => new Map<number, number[]>());
  const signature = new Uint32Array(BANDS * ROWS);
  /** The last set that each set was a candidate for. */
  const seen = new Int32Array(sets.length).fill(-1);
  for (const [index, set] of sets.entries()) {
    if (set.length === 0) continue;
    sign(set, signature);
    const candidates: number[] = [];
    for (const [band, bucket] of buckets.entries()) {
      const key = keyOf(signature, band);
      const others = bucket.get(key);
      if (others === undefined) bucket.set(key, [index]);
      else {
        for (const other of others) {
          if (seen[other] === index) continue;
          seen[other] = index;
          candidates.push(other);
        }
        others.push(index);
      }
    }
    for (const other of candidates) {
      if (isKnown(other, index)) continue;
      const bound = Math.min(boundOf(other), boundOf(index));
      if (similarity(sets[other] ?? [], set, { limit, bound }) >= least) yield [other, index];
    }
  }
}

/** The smallest value of each hash function over the members. */
function sign(set: readonly number[], signature: Uint32Array): void {
  signature.fill(0xffffffff);
  for (const member of set) {
    for (let at = 0; at < SEEDS.length; at += 1) {
      let hash = Math.imul(member ^ (SEEDS[at] ?? 0), 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
      hash = (hash ^ (hash >>> 13)) >>> 0;
      if (hash < (signature[at] ?? 0)) signature[at] = hash;
    }
  }
}

/** Two bands that differ may have one key: a few more comparisons. */
function keyOf(signature: Uint32Array, band: number): number {
  let key = 0;
  for (let row = 0; row < ROWS; row += 1) {
    key = Math.imul(key ^ (signature[band * ROWS + row] ?? 0), 0x9e3779b1);
    key ^= key >>> 16;
  }
  return key;
}

function similarity(
  a: readonly number[],
  b: readonly number[],
  { limit, bound }: { readonly limit: number; readonly bound: number },
): number {
  const isCut = a.length >= limit || b.length >= limit;
  const most = isCut ? limit : a.length + b.length;
  let [i, j, all, common] = [0, 0, 0, 0];
  while (all < most && (i < a.length || j < b.length)) {
    const [left, right] = [a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY];
    if (left >= bound && right >= bound) break;
    if (left === right) common += 1;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
    all += 1;
  }
  return common / Math.max(1, all);
}
