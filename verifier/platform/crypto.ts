// Stands in for node:crypto in a browser: only what the verifier asks for, and synchronous as there.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { Buffer } from "./buffer.ts";

const HASHES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  sha224,
  sha256,
  sha384,
  sha512,
};

/** `crypto.hash`. Throws on an algorithm that is not here, as Node does. */
export function hash(algorithm: string, bytes: Uint8Array, encoding: "hex" | "binary" | "base64url"): string {
  const algorithmOf = HASHES[algorithm];
  if (algorithmOf === undefined) throw new TypeError(`expected a known hash, got ${algorithm}`);
  return Buffer.from(algorithmOf(bytes)).toString(encoding);
}

interface PublicKey {
  readonly bytes: Uint8Array;
  readonly isPostQuantum: boolean;
}

/** `crypto.createPublicKey` for the two kinds of JSON web key that notes are signed with. */
export function createPublicKey({ key }: { key: Readonly<Record<string, string>> }): PublicKey {
  const { kty, x, pub } = key;
  const isPostQuantum = kty === "AKP";
  return { bytes: Buffer.from((isPostQuantum ? pub : x) ?? "", "base64url"), isPostQuantum };
}

/** `crypto.verify(null, …)`: Ed25519 after RFC 8032, strictly; ML-DSA-44 after FIPS 204 with an empty context. */
export function verify(_: null, message: Uint8Array, key: PublicKey, signature: Uint8Array): boolean {
  // The packages take plain arrays only, of memory of their own.
  const [signed, text, bytes] = [signature, message, key.bytes].map((part) => Uint8Array.from(part));
  if (signed === undefined || text === undefined || bytes === undefined) return false;
  return key.isPostQuantum
    ? ml_dsa44.verify(signed, text, bytes)
    : ed25519.verify(signed, text, bytes, { zip215: false });
}
