// From a leaf and its pack to the record in clear: digest, key, decryption and commitments, each checked.
import { base64url } from "../core/bytes.ts";
import type { Leaf } from "../core/leaf.ts";
import { sha256 } from "../core/sha256.ts";
import type { PackRecord } from "./content-pack.ts";
import type { Keyring } from "./keyring.ts";
import { recordKey, type Unsealed, unseal } from "./sealing.ts";

/** What is wrong with a record's content. */
export type ContentFault = "pack" | "digest" | "ciphertext" | "commitment";

export type ContentResult =
  | { readonly state: "open"; readonly unsealed: Unsealed }
  /** The key was destroyed, or is not here. */
  | { readonly state: "erased" }
  | { readonly state: "damaged"; readonly fault: ContentFault };

/** Does the ciphertext have the digest of its leaf? */
export function digestFits(record: PackRecord, leaf: Leaf): boolean {
  return base64url(sha256(record.sealed)) === leaf.digest;
}

/** Decrypts a record. `verify`: check digest and commitments too, without which a swap of keys would go unseen. */
export function openRecord(
  record: PackRecord,
  leaf: Leaf,
  keys: Keyring,
  options: { verify: boolean; digestChecked?: boolean },
): ContentResult {
  if (options.verify && options.digestChecked !== true && !digestFits(record, leaf))
    return { state: "damaged", fault: "digest" };
  const accountKey = keys.forReading(record.pseudonym, record.keyId);
  if (accountKey === null) return { state: "erased" };
  const unsealed = unseal(recordKey(accountKey, record.nonce), record.sealed, {
    commitments: options.verify,
  });
  if (unsealed === null) return { state: "damaged", fault: "ciphertext" };
  if (options.verify) {
    const expected = Object.entries(leaf.commit ?? {});
    const fits = expected.every(([field, value]) => {
      const derived = unsealed.commitments.get(field);
      return derived !== undefined && base64url(derived) === value;
    });
    if (!fits || unsealed.content.size !== expected.length) return { state: "damaged", fault: "commitment" };
  }
  return { state: "open", unsealed };
}
