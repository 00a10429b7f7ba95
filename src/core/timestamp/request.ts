// The request for an RFC 3161 timestamp: a digest, a nonce, and the wish for the authority's certificate.
import { oidOfHash } from "./algorithms.ts";
import type { HashName } from "./crypto.ts";
import { encodeDer, TAG } from "./der.ts";

/** Bytes of a nonce. */
export const TIMESTAMP_NONCE_BYTES = 16;

/** Content of the integer that these random bytes are as a nonce: positive, and in its shortest form. */
export function nonceOf(random: Uint8Array): Uint8Array {
  const nonce = Uint8Array.from(random);
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40;
  return nonce;
}

/** TimeStampReq (RFC 3161 section 2.4.1) over a digest by `hash`. `nonce`: as `nonceOf` makes it. */
export function encodeTimestampRequest(
  digest: Uint8Array,
  nonce: Uint8Array,
  hash: HashName = "sha256",
): Uint8Array {
  const algorithm = encodeDer(TAG.sequence, encodeOid(oidOfHash(hash)), encodeDer(TAG.null));
  const imprint = encodeDer(TAG.sequence, algorithm, encodeDer(TAG.octetString, digest));
  const version = encodeDer(TAG.integer, Uint8Array.of(1));
  const wantsCertificate = encodeDer(TAG.boolean, Uint8Array.of(0xff));
  return encodeDer(TAG.sequence, version, imprint, encodeDer(TAG.integer, nonce), wantsCertificate);
}

function encodeOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift(0x80 | (left % 128));
    return digits;
  });
  return encodeDer(TAG.oid, Uint8Array.from(bytes));
}
