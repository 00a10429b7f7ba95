// Checks Merkle proofs that came from outside. Everything given here may be attacker-controlled.
import { equalBytes } from "./bytes.ts";
import { EMPTY_ROOT, HASH_BYTES, type LeafRange, nodeHash } from "./merkle.ts";

/** More hashes than any tree of 2^53 leaves needs. */
export const MAX_PROOF_HASHES = 64;

function wellFormed(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= MAX_PROOF_HASHES && hashes.every((hash) => hash.length === HASH_BYTES);
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const half = (value: number): number => Math.floor(value / 2);

/** RFC 9162 section 2.1.3.2: is `leaf` (a leaf hash) at `index` of the tree with `size` and `root`? */
export function verifyInclusion(
  claim: { index: number; size: number; leaf: Uint8Array; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { index, size, leaf, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (!wellFormed([...proof, leaf, root])) return false;
  let position = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      while (position % 2 === 0 && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, root);
}

/** A subtree [start, end) is valid when start is a multiple of the smallest power of two >= its width. */
function isSubtree({ start, end }: LeafRange): boolean {
  if (!isSize(start) || !isSize(end) || start >= end) return false;
  let ceiling = 1;
  while (ceiling < end - start) ceiling *= 2;
  return start % ceiling === 0;
}

/** Is `leaf` at `index` of the subtree [start, end) with `root`? (draft-ietf-plants-merkle-tree-certs) */
export function verifySubtreeInclusion(
  claim: { index: number; subtree: LeafRange; leaf: Uint8Array; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { subtree, index } = claim;
  if (!isSubtree(subtree) || !isSize(index) || index < subtree.start || index >= subtree.end) return false;
  const inside = { index: index - subtree.start, size: subtree.end - subtree.start };
  return verifyInclusion({ ...inside, leaf: claim.leaf, root: claim.root }, proof);
}

/**
 * Is the subtree [start, end) with hash `node` part of the tree with `size` and `root`? With start 0 this is
 * RFC 9162 section 2.1.4.2; in general draft-ietf-plants-merkle-tree-certs.
 */
export function verifySubtreeConsistency(
  claim: { subtree: LeafRange; size: number; node: Uint8Array; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { subtree, size, node, root } = claim;
  if (!isSize(size) || !(subtree.end <= size)) return false;
  // The empty subtree is part of every tree that reaches it, whatever that tree's root.
  if (isSize(subtree.start) && subtree.start === subtree.end)
    return proof.length === 0 && equalBytes(node, EMPTY_ROOT);
  if (!isSubtree(subtree)) return false;
  // Without a proof nothing is hashed: the two roots are only compared, whatever they are.
  if (proof.length > 0 && !wellFormed([...proof, node, root])) return false;
  let first = subtree.start;
  let second = subtree.end - 1;
  let last = size - 1;
  const shift = (): void => {
    first = half(first);
    second = half(second);
    last = half(last);
  };
  if (second === last) while (first !== second) shift();
  else while (first !== second && second % 2 === 1) shift();

  let rest = proof;
  let subtreeHash = node;
  if (first !== second) {
    const given = proof[0];
    if (given === undefined) return false;
    subtreeHash = given;
    rest = proof.slice(1);
  }
  let treeHash = subtreeHash;
  for (const hash of rest) {
    if (last === 0) return false;
    if (second % 2 === 1 || second === last) {
      if (first < second) subtreeHash = nodeHash(hash, subtreeHash);
      treeHash = nodeHash(hash, treeHash);
      while (second % 2 === 0 && second !== 0) shift();
    } else {
      treeHash = nodeHash(treeHash, hash);
    }
    shift();
  }
  return last === 0 && equalBytes(subtreeHash, node) && equalBytes(treeHash, root);
}

/**
 * RFC 9162 section 2.1.4.2: does the tree (`second`, `secondRoot`) begin with the tree (`first`, `firstRoot`)? A first
 * size of 0 proves nothing and is refused.
 */
export function verifyConsistency(
  claim: { first: number; second: number; firstRoot: Uint8Array; secondRoot: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (claim.first === 0) return false;
  const subtree = { start: 0, end: claim.first };
  return verifySubtreeConsistency(
    { subtree, size: claim.second, node: claim.firstRoot, root: claim.secondRoot },
    proof,
  );
}
