// Salted commitments: a leaf says what a field was without telling it, and the opening proves it later.
import { Buffer } from "node:buffer";
import { sha256 } from "./sha256.ts";

/** Separates these hashes from every other use of SHA-256; 16 bytes. */
const DOMAIN = Buffer.from("adyton field v1\0", "latin1");
export const SALT_BYTES = 32;
const FIXED_BYTES = DOMAIN.length + 1 + SALT_BYTES + 4;

/** A field laid open: what `commitmentOf` hashes, and what evidence discloses. */
export interface Opening {
  readonly field: string;
  readonly salt: Uint8Array;
  readonly value: Uint8Array;
}

/** Bytes that an opening takes. `fieldBytes`: length of the field's ASCII name. */
export function openingBytes(fieldBytes: number, valueBytes: number): number {
  return FIXED_BYTES + fieldBytes + valueBytes;
}

/**
 * Writes an opening at `offset`: domain (16), name length (uint8), name (ASCII), salt (32), value length (uint32
 * big-endian), value. Every part has its length, so that no two fields share an encoding. Returns the end.
 */
export function writeOpening(target: Buffer, offset: number, opening: Opening): number {
  let at = offset + DOMAIN.copy(target, offset);
  at = target.writeUInt8(opening.field.length, at);
  at += target.write(opening.field, at, "latin1");
  target.set(opening.salt, at);
  at = target.writeUInt32BE(opening.value.length, at + SALT_BYTES);
  target.set(opening.value, at);
  return at + opening.value.length;
}

/** Where the opening at `offset` ends, or null where there is none. */
export function openingEnd(source: Buffer, offset: number): number | null {
  if (source.length < offset + FIXED_BYTES) return null;
  for (let i = 0; i < DOMAIN.length; i++) if (source[offset + i] !== DOMAIN[i]) return null;
  const lengthAt = offset + DOMAIN.length + 1 + (source[offset + DOMAIN.length] ?? 0) + SALT_BYTES;
  if (source.length < lengthAt + 4) return null;
  const end = lengthAt + 4 + source.readUInt32BE(lengthAt);
  return source.length < end ? null : end;
}

/** Reads the opening at `offset`, or null where there is none. */
export function readOpening(source: Buffer, offset: number): (Opening & { end: number }) | null {
  const end = openingEnd(source, offset);
  if (end === null) return null;
  const nameAt = offset + DOMAIN.length + 1;
  const saltAt = nameAt + source.readUInt8(nameAt - 1);
  const lengthAt = saltAt + SALT_BYTES;
  const valueAt = lengthAt + 4;
  const field = source.toString("latin1", nameAt, saltAt);
  return { field, salt: source.subarray(saltAt, lengthAt), value: source.subarray(valueAt, end), end };
}

/** SHA-256 of an opening's bytes: 32 bytes. */
export function commitmentOf(opening: Uint8Array): Buffer {
  return sha256(opening);
}

/** Is `opening` what `commitment` committed to? */
export function opens(opening: Opening, commitment: Uint8Array): boolean {
  const bytes = Buffer.allocUnsafe(openingBytes(opening.field.length, opening.value.length));
  writeOpening(bytes, 0, opening);
  return commitmentOf(bytes).equals(commitment);
}
