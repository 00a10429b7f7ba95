// How many different things there were, and how many of them once: from a small sample that any union can be made of.

/**
 * A bottom-k sample of keys with their exact counts (Cohen and Kaplan 2007; Beyer et al. 2007): the `capacity` keys
 * with the smallest hashes, each with how often it came. A key that is dropped never comes back, so counts are exact,
 * and the merge of two samples is the sample of the union: associative, commutative, and the same in any order.
 * The sample is uniform over distinct keys, whatever their frequencies.
 *
 * Assumes that hashes are uniform on [0, 1) and independent of what is asked; they are keyed, so nobody can aim.
 */
export class BottomSample {
  readonly capacity: number;
  /** Ascending by hash. */
  readonly #hashes: number[] = [];
  readonly #counts: number[] = [];

  constructor(capacity: number) {
    if (!(capacity >= 2)) throw new RangeError(`expected room for two keys or more, got ${capacity}`);
    this.capacity = capacity;
  }

  get size(): number {
    return this.#hashes.length;
  }

  /** Bytes of the sample at its largest: a double and a 32-bit count for each key. */
  get bytes(): number {
    return this.capacity * 12;
  }

  /** Hashes, ascending, each with its count. */
  entries(): readonly (readonly [hash: number, count: number])[] {
    return this.#hashes.map((hash, index) => [hash, this.#counts[index] as number]);
  }

  add(hash: number, count = 1): void {
    const hashes = this.#hashes;
    if (hashes.length === this.capacity && hash > (hashes[hashes.length - 1] as number)) return;
    const at = firstAtLeast(hashes, hash);
    if (hashes[at] === hash) {
      this.#counts[at] = (this.#counts[at] as number) + count;
      return;
    }
    hashes.splice(at, 0, hash);
    this.#counts.splice(at, 0, count);
    if (hashes.length > this.capacity) {
      hashes.pop();
      this.#counts.pop();
    }
  }

  /** Takes all of `other` in. Both must have the same capacity. */
  merge(other: BottomSample): void {
    if (other.capacity !== this.capacity)
      throw new RangeError(`expected a sample of ${this.capacity} keys, got one of ${other.capacity}`);
    other.#hashes.forEach((hash, index) => {
      this.add(hash, other.#counts[index] as number);
    });
  }

  /** Distinct keys: exact while they fit, else (k-1)/h_k, unbiased, relative error about 1/√(k-2). */
  distinct(): number {
    const { size } = this;
    return size < this.capacity ? size : (size - 1) / (this.#hashes[size - 1] as number);
  }

  /** Of the distinct keys sampled, how many came exactly `times` times. */
  cameExactly(times: number): number {
    return this.#counts.reduce((sum, count) => sum + (count === times ? 1 : 0), 0);
  }
}

/**
 * Share of what will be asked next that was never asked before (Good 1953): singletons over askings, estimated by the
 * sample's share of singletons times distinct keys. Null: askings are exchangeable. 0 for none.
 */
export function unseenMass(sample: BottomSample, askings: number): number {
  if (askings <= 0 || sample.size === 0) return 0;
  return Math.min(1, ((sample.cameExactly(1) / sample.size) * sample.distinct()) / askings);
}

/** Chao's lower bound (1984) of the number of keys there are to be asked, seen or not: D + f₁(f₁-1)/(2(f₂+1)). */
export function chaoRichness(sample: BottomSample): number {
  const scale = sample.size === 0 ? 0 : sample.distinct() / sample.size;
  const once = sample.cameExactly(1) * scale;
  const twice = sample.cameExactly(2) * scale;
  return sample.distinct() + (once * Math.max(0, once - 1)) / (2 * (twice + 1));
}

function firstAtLeast(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
