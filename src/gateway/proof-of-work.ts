// The work that the measure `verify` may ask for: little for one account, much for whoever runs thousands.
import { createHash } from "node:crypto";

/** A proof is a number in decimal or any other short text. */
const MAX_PROOF_CHARACTERS = 64;

/**
 * Whether `SHA-256(reference ":" proof)` begins with so many zero bits (Hashcash, Back 2002). The reference is random and
 * one account's alone, so nothing can be worked out before, or for another account. `proof` is attacker-controlled.
 */
export function isProof(reference: string, proof: string, bits: number): boolean {
  if (proof.length > MAX_PROOF_CHARACTERS) return false;
  const digest = createHash("sha256").update(`${reference}:${proof}`).digest();
  const whole = Math.floor(bits / 8);
  for (let at = 0; at < whole; at += 1) if (digest.readUInt8(at) !== 0) return false;
  const rest = bits % 8;
  return rest === 0 || digest.readUInt8(whole) >> (8 - rest) === 0;
}
