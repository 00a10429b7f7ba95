// From a leaf and its pack to the record in clear: digest, key, decryption and commitments, each checked.
import type { Leaf } from "../core/leaf.ts";
import { sha256Base64url } from "../core/sha256.ts";
import type { PackRecord } from "./content-pack.ts";
import type { Keyring } from "./keyring.ts";
import { recordKey, type Unsealed, unseal } from "./sealing.ts";

/** What is wrong with a record's content. */
export type ContentFault = "pack" | "digest" | "key" | "ciphertext" | "commitment";

export type ContentResult =
  | { readonly state: "open"; readonly unsealed: Unsealed }
  /** Its nonce and ciphertext were destroyed, or its account key. */
  | { readonly state: "erased" }
  | { readonly state: "damaged"; readonly fault: ContentFault };

/** Does the ciphertext have the digest of its leaf? */
export function digestFits(record: PackRecord, leaf: Leaf): boolean {
  return sha256Base64url(record.sealed) === leaf.digest;
}

/** Decrypts a record. `verify`: check digest and commitments too, without which a swap of keys would go unseen. */
export function openRecord(
  record: PackRecord,
  leaf: Leaf,
  keys: Keyring,
  options: { verify: boolean; digestChecked?: boolean },
): ContentResult {
  if (record.erased) return { state: "erased" };
  if (options.verify && options.digestChecked !== true && !digestFits(record, leaf))
    return { state: "damaged", fault: "digest" };
  const accountKey = keys.forReading(record.pseudonym, record.keyId);
  if (accountKey === "destroyed") return { state: "erased" };
  if (accountKey === "missing") return { state: "damaged", fault: "key" };
  const unsealed = unseal(recordKey(accountKey, record.nonce), record.sealed, {
    commitments: options.verify,
  });
  if (unsealed === null) return { state: "damaged", fault: "ciphertext" };
  if (options.verify) {
    if (!commitmentsFit(unsealed, leaf.commit ?? {})) return { state: "damaged", fault: "commitment" };
  }
  return { state: "open", unsealed };
}

/** Every field has its commitment and every commitment its field. */
function commitmentsFit(
  { commitments, content }: Unsealed,
  expected: Readonly<Record<string, string>>,
): boolean {
  let count = 0;
  for (const field in expected) {
    if (commitments.get(field) !== expected[field]) return false;
    count += 1;
  }
  return content.size === count;
}
