// A small keyed count sketch of a prompt's words: sums of it over any accounts compare what they talk about.

/** Coordinates of the sketch, one signed byte each. */
export const EMBEDDING_DIMENSIONS = 64;
/** Words that are read. More would not move a normalised sketch much. */
const MAX_WORDS = 400;
const SEEN_SLOTS = 1_024;
/** Length of a stored vector in units of its bytes: |v| = 100, so that no coordinate passes 127. */
export const EMBEDDING_LENGTH = 100;

/**
 * Signed feature hashing (Weinberger et al. 2009) of single words, each occurring word once, scaled to length 100 and
 * rounded to bytes. Inner products of two sketches estimate the cosine of their word sets with error about
 * 1/sqrt(64). The zero vector stands for a text without words.
 *
 * @param seed keeps the projection secret to one installation.
 */
export function embed(words: readonly string[], seed: number): number[] {
  const hashes = wordHashes(words, seed);
  return embedHashes(hashes, hashes.length);
}

/** FNV-1a under the seed, of each word. */
export function wordHashes(words: readonly string[], seed: number): Int32Array {
  return Int32Array.from(words, (word) => {
    let hash = 0x811c9dc5 ^ seed;
    for (let i = 0; i < word.length; i += 1) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    return hash;
  });
}

/** Scratch, empty between calls. */
const sums = new Int32Array(EMBEDDING_DIMENSIONS);
const seen = new Int32Array(SEEN_SLOTS);

/** The same, of the words' FNV-1a hashes under the seed. */
export function embedHashes(hashes: Int32Array, count: number): number[] {
  sums.fill(0);
  seen.fill(0);
  const read = Math.min(count, MAX_WORDS);
  for (let i = 0; i < read; i += 1) {
    const h = avalanche(hashes[i] as number) | 1;
    if (!isNew(h)) continue;
    const slot = (h >>> 8) % EMBEDDING_DIMENSIONS;
    sums[slot] = (sums[slot] as number) + (h < 0 ? 1 : -1);
  }
  let square = 0;
  for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 1) square += (sums[i] as number) ** 2;
  const scale = square === 0 ? 0 : EMBEDDING_LENGTH / Math.sqrt(square);
  const embedding = new Array<number>(EMBEDDING_DIMENSIONS);
  for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 1) {
    const value = Math.round((sums[i] as number) * scale);
    embedding[i] = value === 0 ? 0 : value; // never the negative zero
  }
  return embedding;
}

/** Open addressing: never full, because it has more slots than words are read. */
function isNew(h: number): boolean {
  for (let slot = (h >>> 1) % SEEN_SLOTS; ; slot = (slot + 1) % SEEN_SLOTS) {
    if (seen[slot] === h) return false;
    if (seen[slot] === 0) {
      seen[slot] = h;
      return true;
    }
  }
}

/** Murmur3's finaliser: spreads every bit of an FNV-1a hash over all of them. */
export function avalanche(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
