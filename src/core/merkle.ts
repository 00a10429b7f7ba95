// The Merkle tree of RFC 6962: hashing, the ranges a proof needs, and the running right edge of a growing tree.
import { sha256 } from "./sha256.ts";

export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/** SHA-256(00 || data), RFC 6962 section 2.1. */
export function leafHash(data: Uint8Array): Uint8Array {
  if (data.length >= prefixed.length) prefixed = new Uint8Array(1 + data.length);
  prefixed.set(data, 1);
  return sha256(prefixed.subarray(0, 1 + data.length));
}

/** Scratch of `leafHash`; its first byte stays 0. Entries of a log are bounded, and so is this. */
let prefixed = new Uint8Array(1024);

const pair = new Uint8Array(1 + 2 * HASH_BYTES);
pair[0] = 1;

/** SHA-256(01 || left || right), RFC 6962 section 2.1. Both are 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** Leaves [start, end) whose Merkle tree hash is meant. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** A perfect subtree: leaves [index * 2^height, (index + 1) * 2^height). */
export interface NodePosition {
  readonly height: number;
  readonly index: number;
}

/** Largest power of two smaller than `width`; `width` > 1. */
function splitPoint(width: number): number {
  let half = 1;
  while (half * 2 < width) half *= 2;
  return half;
}

/** Perfect subtrees, left to right, that make up [start, end), where start is a multiple of a power of two >= width. */
export function perfectNodes(range: LeafRange): NodePosition[] {
  const nodes: NodePosition[] = [];
  let start = range.start;
  while (start < range.end) {
    let height = 0;
    let width = 1;
    while (start % (width * 2) === 0 && start + width * 2 <= range.end) {
      width *= 2;
      height += 1;
    }
    nodes.push({ height, index: start / width });
    start += width;
  }
  return nodes;
}

/** Merkle tree hash of a range from its perfect subtrees, left to right. At least one. */
export function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  let root = hashes.at(-1);
  if (root === undefined) return EMPTY_ROOT;
  for (let i = hashes.length - 2; i >= 0; i--) root = nodeHash(hashes[i] ?? root, root);
  return root;
}

/** Root of the tree over these leaf hashes. */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  const range = new CompactRange();
  for (const leaf of leafHashes) range.append(leaf);
  return range.root();
}

/**
 * The ranges whose hashes form the inclusion proof of leaf `index` in the tree of `size`, from the leaf's sibling up
 * (RFC 6962 section 2.1.1).
 */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!(Number.isSafeInteger(size) && index >= 0 && index < size))
    throw new RangeError(`expected an index below the size ${size}, got ${index}`);
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** The ranges whose hashes form the consistency proof between two sizes, 0 < first <= second (RFC 6962 section 2.1.2). */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  if (!(Number.isSafeInteger(second) && first > 0 && first <= second))
    throw new RangeError(`expected 0 < first <= second, got ${first} and ${second}`);
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = second;
  let whole = true;
  while (first !== end) {
    const middle = start + splitPoint(end - start);
    if (first <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      whole = false;
    }
  }
  if (!whole) ranges.push({ start, end });
  return ranges.reverse();
}

/**
 * The right edge of a growing tree: one hash for each bit set in the size. Memory is O(log size). `onNode` hears of every
 * perfect subtree that becomes complete, its leaves' hashes included (height 0).
 */
export class CompactRange {
  readonly #hashes: Uint8Array[];
  readonly #onNode: ((position: NodePosition, hash: Uint8Array) => void) | undefined;
  #size: number;

  /** `edge`: hashes of perfectNodes({start: 0, end: size}), left to right, to go on from that size. */
  constructor(
    options: {
      size?: number;
      edge?: readonly Uint8Array[];
      onNode?: (position: NodePosition, hash: Uint8Array) => void;
    } = {},
  ) {
    this.#size = options.size ?? 0;
    this.#hashes = [...(options.edge ?? [])];
    this.#onNode = options.onNode;
    const expected = perfectNodes({ start: 0, end: this.#size }).length;
    if (this.#hashes.length !== expected)
      throw new RangeError(
        `expected ${expected} edge hashes for size ${this.#size}, got ${this.#hashes.length}`,
      );
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array): void {
    let hash = leaf;
    let height = 0;
    let index = this.#size;
    this.#onNode?.({ height, index }, hash);
    while (index % 2 === 1) {
      const left = this.#hashes.pop();
      if (left === undefined) throw new RangeError("expected a left neighbour in the compact range");
      hash = nodeHash(left, hash);
      height += 1;
      index = (index - 1) / 2;
      this.#onNode?.({ height, index }, hash);
    }
    this.#hashes.push(hash);
    this.#size += 1;
  }

  root(): Uint8Array {
    return foldRight(this.#hashes);
  }

  /** What another range goes on from. */
  edge(): readonly Uint8Array[] {
    return this.#hashes;
  }
}
