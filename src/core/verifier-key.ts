// Public keys of signed notes in their C2SP text form (vkey), whoever holds them: logs, witnesses, other cosigners.
import { base64, base64Bytes, concatBytes, hex, utf8 } from "./bytes.ts";
import { sha256 } from "./sha256.ts";

/** Signature type byte of plain Ed25519 note signatures (C2SP signed-note). */
export const ED25519_NOTE = 0x01;
/** Ed25519 over a checkpoint and a time (C2SP tlog-cosignature). */
export const ED25519_COSIGNATURE = 0x04;
/** ML-DSA-44 over a tree head, a time and the cosigner's name (C2SP tlog-cosignature, FIPS 204). */
export const ML_DSA_44_COSIGNATURE = 0x06;

/** The signature types that Adyton makes and verifies. */
export type SignatureType = typeof ED25519_NOTE | typeof ED25519_COSIGNATURE | typeof ML_DSA_44_COSIGNATURE;

/** Length of a public key by signature type, bytes. */
const PUBLIC_KEY_BYTES: ReadonlyMap<number, number> = new Map<SignatureType, number>([
  [ED25519_NOTE, 32],
  [ED25519_COSIGNATURE, 32],
  [ML_DSA_44_COSIGNATURE, 1312],
]);

/** Public half of a note key (a C2SP vkey). */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name, LF, type, public key), big-endian. */
  readonly id: number;
  readonly type: SignatureType;
  readonly publicKey: Uint8Array;
}

export function isKeyName(name: string): boolean {
  return name.length > 0 && !/[\s+\u0085\p{White_Space}]/u.test(name) && name.isWellFormed();
}

/** Key id of the C2SP recommendation. */
export function keyId(name: string, type: SignatureType, publicKey: Uint8Array): number {
  const digest = sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey));
  return digest.readUInt32BE(0);
}

/** The key of `name` with its id. */
export function verifierKey(name: string, type: SignatureType, publicKey: Uint8Array): VerifierKey {
  return { name, type, publicKey, id: keyId(name, type, publicKey) };
}

/** `<name>+<hex id>+<base64 type and key>`. */
export function formatVerifierKey(key: Pick<VerifierKey, "name" | "type" | "publicKey">): string {
  const id = keyId(key.name, key.type, key.publicKey).toString(16).padStart(8, "0");
  return `${key.name}+${id}+${base64(concatBytes(Uint8Array.of(key.type), key.publicKey))}`;
}

function isSignatureType(type: number): type is SignatureType {
  return PUBLIC_KEY_BYTES.has(type);
}

/** Parses a vkey; null when it is malformed, its id is not its own hash, or its type is none that we verify. */
export function parseVerifierKey(text: string): VerifierKey | null {
  const first = text.indexOf("+");
  const second = first + 9;
  if (first < 0 || text[second] !== "+") return null;
  const name = text.slice(0, first);
  const material = base64Bytes(text.slice(second + 1));
  const type = material?.[0];
  if (!isKeyName(name) || material === null || type === undefined || !isSignatureType(type)) return null;
  const publicKey = material.subarray(1);
  if (publicKey.length !== PUBLIC_KEY_BYTES.get(type)) return null;
  const key = verifierKey(name, type, publicKey);
  return formatVerifierKey(key) === text ? key : null;
}

/** Do both say the same key? Name and id stand for it in every signature line. */
export function sameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && a.id === b.id;
}

/** Short public name of a key for people: its name and id. */
export function describeKey(key: VerifierKey): string {
  return `${key.name}+${hex(Uint8Array.of(key.id >>> 24, key.id >>> 16, key.id >>> 8, key.id))}`;
}
