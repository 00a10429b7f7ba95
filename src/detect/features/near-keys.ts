// Keys that texts with nearly the same words share: what finds the versions of one text without comparing all pairs.

/** Keys of one text. More of them find weaker likeness and cost 4 bytes each. */
export const NEAR_KEYS = 6;
/** Shorter texts share too much by chance; of longer ones the first words say enough. */
const MIN_WORDS = 12;
const MAX_WORDS = 128;

/** Odd multipliers of the six orders of words (golden ratio, Murmur3, xxHash): any odd numbers would do. */
const ORDERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1, 0x2545f491] as const;
const TOP = 0xffffffff;

/**
 * Bottom-3 MinHash (Broder 1997) of the set of words in six orders: two texts share one key with probability J³, J
 * being the share of words they have in common, and at least one of six with 1 - (1 - J³)⁶: 0.98 at J = 0.8, 0.05 at
 * J = 0.2. Empty for texts of fewer than twelve words. Linear in the words read.
 *
 * @param hashes of the words under the installation's seed (FNV-1a), which keeps the orders secret; `count` of them.
 */
export function nearKeys(hashes: Int32Array, count: number): number[] {
  if (count < MIN_WORDS) return [];
  const least = new Uint32Array(3 * NEAR_KEYS).fill(TOP);
  const read = Math.min(count, MAX_WORDS);
  for (let i = 0; i < read; i += 1) {
    const word = hashes[i] ?? 0;
    const hash = word ^ (word >>> 13);
    for (let order = 0; order < NEAR_KEYS; order += 1) {
      let h = Math.imul(hash, ORDERS[order] ?? 1);
      h = (h ^ (h >>> 15)) >>> 0;
      if (h < (least[3 * order + 2] ?? 0)) insert(least, 3 * order, h);
    }
  }
  return Array.from({ length: NEAR_KEYS }, (_, order) => keyOf(least, 3 * order));
}

/** Into the three smallest from `at` on, ascending; a word that occurs again counts once. */
function insert(least: Uint32Array, at: number, h: number): void {
  const first = least[at] ?? TOP;
  const second = least[at + 1] ?? TOP;
  if (h === first || h === second) return;
  least[at + 2] = Math.max(h, second);
  if (h > second) return;
  least[at + 1] = Math.max(h, first);
  if (h < first) least[at] = h;
}

function keyOf(least: Uint32Array, at: number): number {
  const key = Math.imul((least[at] ?? 0) ^ Math.imul(least[at + 1] ?? 0, 0x01000193), 0x85ebca6b);
  const mixed = key ^ (least[at + 2] ?? 0);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
