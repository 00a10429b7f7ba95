// What a stamp rests on: every hash and every kind of key between what was stamped and the root.
import { keyAlgorithm, type StampAlgorithm, schemeOf } from "./algorithms.ts";
import type { Certificate } from "./certificate.ts";
import type { HashName } from "./crypto.ts";
import type { Timestamp } from "./token.ts";

/** The weakest of them bounds how long the stamp proves anything. `chain`: verified, the root last. */
export function algorithmsOf(stamp: Timestamp, chain: readonly Certificate[]): StampAlgorithm[] {
  const { imprint, signer } = stamp;
  const hashes: (HashName | undefined)[] = [imprint.hash, signer.hash];
  for (const [at, certificate] of chain.entries()) {
    if (at === 0) hashes.push(schemeOf(signer.algorithm, certificate.publicKey, signer.hash)?.hash);
    const issuer = chain[at + 1]; // a root is trusted for itself, not for its own signature
    if (issuer !== undefined) hashes.push(schemeOf(certificate.algorithm, issuer.publicKey, null)?.hash);
  }
  const keys = chain.map(({ publicKey }) => keyAlgorithm(publicKey));
  const all = [...hashes, ...keys].filter((name) => name !== undefined && name !== null && name !== "sha1");
  return [...new Set(all)];
}
