// Salted commitments: a leaf says what a field was without telling it, and the opening proves it later.
import { Buffer } from "node:buffer";
import { sha256 } from "./sha256.ts";

/** Separates these hashes from every other use of SHA-256; 16 bytes. */
const DOMAIN = Buffer.from("adyton field v1\0", "latin1");
export const SALT_BYTES = 32;
/** Distance from an opening's salt to its value. */
export const VALUE_BEHIND_SALT: number = SALT_BYTES + 4;
const HEADS: Map<string, Buffer> = new Map();
/** A bundle under verification may name fields that no record has. */
const MAX_HEADS = 64;
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
export function writeOpening(target: Buffer, offset: number, { field, salt, value }: Opening): number {
  const saltAt = layOpening(target, offset, field, value.length);
  target.set(salt, saltAt);
  target.set(value, saltAt + VALUE_BEHIND_SALT);
  return saltAt + VALUE_BEHIND_SALT + value.length;
}

/**
 * Writes what of an opening is neither salt nor value, and returns where the salt goes; the value goes
 * VALUE_BEHIND_SALT further. For who can make both in place.
 */
export function layOpening(target: Buffer, offset: number, field: string, valueBytes: number): number {
  const head = headOf(field);
  target.set(head, offset);
  const saltAt = offset + head.length;
  target.writeUInt32BE(valueBytes, saltAt + SALT_BYTES);
  return saltAt;
}

/** Domain, name length and name are the same for every opening of a field, and fields are few. */
function headOf(field: string): Buffer {
  const known = HEADS.get(field);
  if (known !== undefined) return known;
  const head = Buffer.concat([DOMAIN, Buffer.from([field.length]), Buffer.from(field, "latin1")]);
  if (HEADS.size < MAX_HEADS) HEADS.set(field, head);
  return head;
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
