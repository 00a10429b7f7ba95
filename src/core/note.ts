// C2SP signed notes: text with signatures by named keys. Everything read here may be attacker-controlled.
import { createPublicKey, verify } from "node:crypto";
import { base64, base64Bytes, base64url, concatBytes, hex, utf8, utf8Text } from "./bytes.ts";
import { sha256 } from "./sha256.ts";

/** Notes longer than this are refused: room for 64 post-quantum signatures of 5 kB and their text. */
export const MAX_NOTE_BYTES: number = 512 * 1024;
export const MAX_SIGNATURES = 64;
/** Signature type byte of plain Ed25519 note signatures. */
export const ED25519_NOTE = 0x01;

/** Public half of a note key (a C2SP vkey). */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name, LF, type, public key), big-endian. */
  readonly id: number;
  readonly type: number;
  readonly publicKey: Uint8Array;
}

/** One signature line, its key id split off. */
export interface NoteSignature {
  readonly name: string;
  readonly id: number;
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Why a note was refused. */
export type NoteFault =
  | "too-long"
  | "not-utf8"
  | "control-character"
  | "no-signatures"
  | "malformed-signature"
  | "too-many-signatures"
  | "bad-signature"
  | "no-trusted-signature";

export function isKeyName(name: string): boolean {
  return name.length > 0 && !/[\s+\u0085\p{White_Space}]/u.test(name) && name.isWellFormed();
}

/** Key id of the C2SP recommendation. */
export function keyId(name: string, type: number, publicKey: Uint8Array): number {
  const digest = sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey));
  return digest.readUInt32BE(0);
}

/** `<name>+<hex id>+<base64 type and key>`. */
export function formatVerifierKey(key: { name: string; type: number; publicKey: Uint8Array }): string {
  const id = keyId(key.name, key.type, key.publicKey).toString(16).padStart(8, "0");
  return `${key.name}+${id}+${base64(concatBytes(Uint8Array.of(key.type), key.publicKey))}`;
}

/** Parses a vkey; null when it is malformed, its id is not its own hash, or its type is not Ed25519. */
export function parseVerifierKey(text: string): VerifierKey | null {
  const first = text.indexOf("+");
  const second = first + 9;
  if (first < 0 || text[second] !== "+") return null;
  const name = text.slice(0, first);
  const material = base64Bytes(text.slice(second + 1));
  const type = material?.[0];
  if (!isKeyName(name) || material === null || type !== ED25519_NOTE || material.length !== 33) return null;
  const publicKey = material.subarray(1);
  const key: VerifierKey = { name, id: keyId(name, type, publicKey), type, publicKey };
  return formatVerifierKey(key) === text ? key : null;
}

/** `— name base64(id || signature)`, with its newline. */
export function formatSignature(signature: NoteSignature): string {
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, signature.id);
  return `— ${signature.name} ${base64(concatBytes(id, signature.signature))}\n`;
}

/** A note from its text (ending in a newline) and signatures. */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  return `${text}\n${signatures.map(formatSignature).join("")}`;
}

/** Splits a note without verifying anything. */
export function parseNote(bytes: Uint8Array): Note | { fault: NoteFault } {
  if (bytes.length > MAX_NOTE_BYTES) return { fault: "too-long" };
  const whole = utf8Text(bytes);
  if (whole === null) return { fault: "not-utf8" };
  for (const byte of bytes) if (byte < 0x20 && byte !== 0x0a) return { fault: "control-character" };
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n") || split + 2 === whole.length) return { fault: "no-signatures" };
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) return { fault: "too-many-signatures" };
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [dash, name, encoded, ...more] = line.split(" ");
    const blob = base64Bytes(encoded ?? "");
    if (dash !== "—" || name === undefined || !isKeyName(name) || more.length > 0)
      return { fault: "malformed-signature" };
    if (blob === null || blob.length < 5) return { fault: "malformed-signature" };
    const id = new DataView(blob.buffer, blob.byteOffset).getUint32(0);
    signatures.push({ name, id, signature: blob.subarray(4) });
  }
  return { text: whole.slice(0, split + 1), signatures };
}

/** Does `signature` over `text` come from `key`? */
export function verifyNoteSignature(key: VerifierKey, text: string, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const jwk = { kty: "OKP", crv: "Ed25519", x: base64url(key.publicKey) };
  try {
    return verify(null, utf8(text), createPublicKey({ key: jwk, format: "jwk" }), signature);
  } catch {
    return false; // a public key that is no point of the curve signs nothing
  }
}

/**
 * Opens a note: unknown keys are ignored, a wrong signature of a known key refuses the whole note, and at least one
 * known key must have signed (C2SP signed-note).
 */
export function openNote(
  bytes: Uint8Array,
  keys: readonly VerifierKey[],
): (Note & { verifiedBy: readonly VerifierKey[] }) | { fault: NoteFault } {
  const note = parseNote(bytes);
  if ("fault" in note) return note;
  const verifiedBy: VerifierKey[] = [];
  for (const signature of note.signatures) {
    const key = keys.find((known) => known.name === signature.name && known.id === signature.id);
    if (key === undefined || verifiedBy.includes(key)) continue;
    if (!verifyNoteSignature(key, note.text, signature.signature)) return { fault: "bad-signature" };
    verifiedBy.push(key);
  }
  if (verifiedBy.length === 0) return { fault: "no-trusted-signature" };
  return { ...note, verifiedBy };
}

/** Short public name of a key for people: its name and id. */
export function describeKey(key: VerifierKey): string {
  return `${key.name}+${hex(Uint8Array.of(key.id >>> 24, key.id >>> 16, key.id >>> 8, key.id))}`;
}
