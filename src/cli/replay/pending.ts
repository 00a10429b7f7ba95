// Exchanges that have begun and not ended yet, in virtual time: the one that ends first comes out first.

/** A binary heap by end time; equal times come out in the order they went in. */
export class Pending<T> {
  readonly #heap: { readonly endMs: number; readonly order: number; readonly value: T }[] = [];
  #order = 0;

  /** When the next one ends; Infinity when none is pending. */
  get nextEndMs(): number {
    return this.#heap[0]?.endMs ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#heap.length;
  }

  push(value: T, endMs: number): void {
    this.#heap.push({ endMs, order: this.#order++, value });
    let at = this.#heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the one that ends first. */
  pop(): T | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first?.value;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const smaller = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (smaller >= this.#heap.length || !this.#isBefore(smaller, at)) return first.value;
      this.#swap(at, smaller);
      at = smaller;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return false;
    return first.endMs === second.endMs ? first.order < second.order : first.endMs < second.endMs;
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
