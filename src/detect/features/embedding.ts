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
  const sums = new Int32Array(EMBEDDING_DIMENSIONS);
  const seen = new Int32Array(SEEN_SLOTS);
  const count = Math.min(words.length, MAX_WORDS);
  for (let i = 0; i < count; i += 1) {
    const h = wordHash(words[i] ?? "", seed) | 1;
    if (!isNew(seen, h)) continue;
    const slot = (h >>> 8) % EMBEDDING_DIMENSIONS;
    sums[slot] = (sums[slot] ?? 0) + (h < 0 ? 1 : -1);
  }
  let square = 0;
  for (const value of sums) square += value * value;
  const scale = square === 0 ? 0 : EMBEDDING_LENGTH / Math.sqrt(square);
  return Array.from(sums, (value) => Math.round(value * scale));
}

/** Open addressing: never full, because it has more slots than words are read. */
function isNew(seen: Int32Array, h: number): boolean {
  for (let slot = (h >>> 1) % SEEN_SLOTS; ; slot = (slot + 1) % SEEN_SLOTS) {
    if (seen[slot] === h) return false;
    if (seen[slot] === 0) {
      seen[slot] = h;
      return true;
    }
  }
}

/** 32-bit FNV-1a with a seed and a final avalanche (Murmur3's finaliser). */
function wordHash(word: string, seed: number): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < word.length; i += 1) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
