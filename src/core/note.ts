// C2SP signed notes: text with signatures by named keys. Everything read here may be attacker-controlled.
import { base64, base64Bytes, concatBytes, utf8Text } from "./bytes.ts";
import { verifySignature } from "./cosignature.ts";
import { isKeyName, sameKey, type VerifierKey } from "./verifier-key.ts";

/** Notes longer than this are refused: room for 64 post-quantum signatures of 5 kB and their text. */
export const MAX_NOTE_BYTES: number = 512 * 1024;
export const MAX_SIGNATURES = 64;

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

/** A signature that was checked, and when it says it was made: POSIX seconds, null for plain notes. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  readonly timeSeconds: number | null;
}

export interface OpenedNote extends Note {
  /** One for each known key that signed, in the order of the lines. */
  readonly verified: readonly VerifiedSignature[];
}

/**
 * Opens a note: unknown keys are ignored, a wrong signature of a known key refuses the whole note, and at least one
 * known key must have signed (C2SP signed-note).
 */
export function openNote(bytes: Uint8Array, keys: readonly VerifierKey[]): OpenedNote | { fault: NoteFault } {
  const note = parseNote(bytes);
  if ("fault" in note) return note;
  const verified: VerifiedSignature[] = [];
  for (const signature of note.signatures) {
    const key = keys.find((known) => known.name === signature.name && known.id === signature.id);
    if (key === undefined || verified.some((former) => sameKey(former.key, key))) continue;
    const checked = verifySignature(key, note.text, signature.signature);
    if (checked === null) return { fault: "bad-signature" };
    verified.push({ key, timeSeconds: checked.timeSeconds });
  }
  if (verified.length === 0) return { fault: "no-trusted-signature" };
  return { ...note, verified };
}
