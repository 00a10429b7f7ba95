// Disjoint sets of small integers: what is linked to what, transitively.

export class UnionFind {
  readonly #parents: Int32Array;

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, index) => index);
  }

  /** The representative of the set that `index` is in. */
  find(index: number): number {
    let at = index;
    while (this.#parents[at] !== at) {
      const parent = this.#parents[at] ?? at;
      this.#parents[at] = this.#parents[parent] ?? parent;
      at = this.#parents[at] ?? at;
    }
    return at;
  }

  /** The smaller representative wins, so that the result does not depend on the order of joins. */
  join(a: number, b: number): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first < second) this.#parents[second] = first;
    else this.#parents[first] = second;
  }
}
