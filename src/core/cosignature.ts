// What each kind of note signature signs, and how it is checked (C2SP signed-note, tlog-cosignature; FIPS 204).
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { base64url, concatBytes, utf8 } from "./bytes.ts";
import { parseTreeHead } from "./tree-head.ts";
import {
  ED25519_COSIGNATURE,
  ED25519_NOTE,
  ML_DSA_44_COSIGNATURE,
  type SignatureType,
  type VerifierKey,
} from "./verifier-key.ts";

/** Length of the bare signature by type, bytes; cosignatures have the time before it. */
const SIGNATURE_BYTES: Readonly<Record<SignatureType, number>> = {
  [ED25519_NOTE]: 64,
  [ED25519_COSIGNATURE]: 64,
  [ML_DSA_44_COSIGNATURE]: 2420,
};
const TIME_BYTES = 8;
/** Names in an ML-DSA message have a length of one byte. */
const MAX_NAME_BYTES = 255;

/** Who signs with what. */
export type SignerName = Pick<VerifierKey, "name" | "type">;

/** Does this kind of signature carry the time at which it was made? */
export function hasTime(type: SignatureType): boolean {
  return type !== ED25519_NOTE;
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function shortBytes(text: string): Uint8Array | null {
  const bytes = utf8(text);
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) return null;
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

/** `cosigned_message` over a whole tree: label, cosigner, time, origin, start 0, end, root. */
function subtreeMessage(name: string, text: string, timeSeconds: number): Uint8Array | null {
  const head = parseTreeHead(text);
  const cosigner = shortBytes(name);
  const origin = head === null ? null : shortBytes(head.origin);
  if (head === null || cosigner === null || origin === null) return null;
  const range = [uint64(0), uint64(head.size)];
  return concatBytes(utf8("subtree/v1\n\0"), cosigner, uint64(timeSeconds), origin, ...range, head.root);
}

/**
 * The bytes that a signer of this type signs for the note text `text` at `timeSeconds` (POSIX; unused by plain notes).
 * Null: this type can't sign that text (an ML-DSA cosignature needs a checkpoint, and names of 1 to 255 bytes).
 */
export function signedMessage(signer: SignerName, text: string, timeSeconds: number): Uint8Array | null {
  switch (signer.type) {
    case ED25519_NOTE:
      return utf8(text);
    case ED25519_COSIGNATURE:
      return utf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`);
    case ML_DSA_44_COSIGNATURE:
      return subtreeMessage(signer.name, text, timeSeconds);
  }
}

/** The bytes after the key id in a signature line: a cosignature's time comes before the bare signature. */
export function encodeSignature(type: SignatureType, signature: Uint8Array, timeSeconds: number): Uint8Array {
  return hasTime(type) ? concatBytes(uint64(timeSeconds), signature) : signature;
}

function publicKey(key: VerifierKey): KeyObject {
  const pub = base64url(key.publicKey);
  const jwk =
    key.type === ML_DSA_44_COSIGNATURE
      ? { kty: "AKP", alg: "ML-DSA-44", pub }
      : { kty: "OKP", crv: "Ed25519", x: pub };
  return createPublicKey({ key: jwk, format: "jwk" });
}

/**
 * Verifies one signature over a note's text. Null: it is not by `key`, or its time is beyond any calendar (2^53 s). The
 * time is that of a cosignature in POSIX seconds, 0 where the cosigner says nothing of it; plain notes have none.
 */
export function verifySignature(
  key: VerifierKey,
  text: string,
  signature: Uint8Array,
): { timeSeconds: number | null } | null {
  const timed = hasTime(key.type);
  if (signature.length !== SIGNATURE_BYTES[key.type] + (timed ? TIME_BYTES : 0)) return null;
  const time = timed ? new DataView(signature.buffer, signature.byteOffset).getBigUint64(0) : 0n;
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const message = signedMessage(key, text, Number(time));
  if (message === null) return null;
  const bare = timed ? signature.subarray(TIME_BYTES) : signature;
  try {
    if (!verify(null, message, publicKey(key), bare)) return null;
  } catch {
    return null; // a public key that is no point of the curve signs nothing
  }
  return { timeSeconds: timed ? Number(time) : null };
}
