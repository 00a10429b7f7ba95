// A frame: one record as it lies in a write-ahead segment. docs/log-format.md lists every byte.
import type { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { COMMITMENT_BYTES } from "../core/commitment.ts";
import { FIELDS } from "../core/record.ts";
import { KEY_ID_BYTES } from "./keyring.ts";
import { NONCE_BYTES, TAG_BYTES } from "./sealing.ts";

const MAGIC = 0xad170f01;
/** Largest frame, and so largest record: a request or answer body with its headers. */
export const MAX_FRAME_BYTES: number = 64 * 1024 * 1024;

/** Offsets in the fixed part. The CRC covers everything after itself. */
const AT = {
  magic: 0,
  crc: 4,
  length: 8,
  kind: 12,
  segment: 16,
  incarnation: 20,
  sequence: 26,
  time: 32,
} as const;
const PSEUDONYM_AT = 38;
const KEY_ID_AT = 54;
const NONCE_AT: number = KEY_ID_AT + KEY_ID_BYTES;
const NAME_AT: number = NONCE_AT + NONCE_BYTES;

/** Frames carry these; `interrupted` leaves have no frame. */
export const FRAME_KINDS = ["open", "close", "act"] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** Which bytes count as frames of a segment: stale ones of a recycled file are bound to another number. */
export interface FrameBinding {
  readonly segment: number;
  readonly incarnation: number;
}

/** A frame as read. Buffers are views into what was read. */
export interface Frame {
  readonly kind: FrameKind;
  readonly sequence: number;
  readonly timeMs: number;
  readonly pseudonym: Buffer;
  readonly keyId: Buffer;
  readonly nonce: Buffer;
  /** Exchange id, or the act's name. */
  readonly name: string;
  /** One for each field of the kind, in the order of FIELDS. */
  readonly commitments: readonly Buffer[];
  /** Ciphertext and tag. */
  readonly sealed: Buffer;
}

/** Everything in a frame but commitments, ciphertext and what the segment adds. */
export interface FrameHead {
  readonly kind: FrameKind;
  readonly incarnation: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly pseudonym: Buffer;
  readonly keyId: Buffer;
  readonly nonce: Buffer;
  readonly name: string;
  readonly nameBytes: number;
}

/** Where the parts of a frame lie, relative to its start. */
export function frameLayout(
  kind: FrameKind,
  nameBytes: number,
  sealedBytes: number,
): { commitments: number; cipher: number; length: number } {
  const commitments = NAME_AT + 1 + nameBytes;
  const cipher = commitments + FIELDS[kind].length * COMMITMENT_BYTES;
  return { commitments, cipher, length: cipher + sealedBytes };
}

/** Writes the fixed part and the name at `at`. Commitments and ciphertext are the caller's. */
export function writeFrameHead(target: Buffer, at: number, head: FrameHead, length: number): void {
  target.writeUInt32BE(MAGIC, at + AT.magic);
  target.writeUInt32BE(length, at + AT.length);
  target.writeUInt32BE(FRAME_KINDS.indexOf(head.kind) + 1, at + AT.kind);
  target.writeUIntBE(head.incarnation, at + AT.incarnation, 6);
  target.writeUIntBE(head.sequence, at + AT.sequence, 6);
  target.writeUIntBE(head.timeMs, at + AT.time, 6);
  target.set(head.pseudonym, at + PSEUDONYM_AT);
  target.set(head.keyId, at + KEY_ID_AT);
  target.set(head.nonce, at + NONCE_AT);
  target.writeUInt8(head.nameBytes, at + NAME_AT);
  target.write(head.name, at + NAME_AT + 1, "utf8");
}

/** Binds a finished frame to the segment it goes into, and sums it. Last, because a full segment changes the number. */
export function stampFrame(frame: Buffer, segment: number): void {
  frame.writeUInt32BE(segment, AT.segment);
  frame.writeUInt32BE(crc32(frame.subarray(AT.length)), AT.crc);
}

/**
 * Reads the frame at `at`. A number: the bytes from `at` that must be there before one can tell. Null: no frame of this
 * segment begins here (end of the writing, a torn write, or stale bytes).
 */
export function readFrame(
  source: Buffer,
  at: number,
  binding: FrameBinding,
): { frame: Frame; end: number } | number | null {
  if (source.length < at + NAME_AT) return NAME_AT;
  if (source.readUInt32BE(at + AT.magic) !== MAGIC) return null;
  if (source.readUInt32BE(at + AT.segment) !== binding.segment) return null;
  if (source.readUIntBE(at + AT.incarnation, 6) !== binding.incarnation) return null;
  const length = source.readUInt32BE(at + AT.length);
  if (length <= NAME_AT || length > MAX_FRAME_BYTES) return null;
  if (source.length < at + length) return length;
  const end = at + length;
  if (crc32(source.subarray(at + AT.length, end)) !== source.readUInt32BE(at + AT.crc)) return null;
  const kind = FRAME_KINDS[source.readUInt32BE(at + AT.kind) - 1];
  if (kind === undefined) return null;
  const nameAt = at + NAME_AT + 1;
  const nameEnd = nameAt + source.readUInt8(at + NAME_AT);
  const cipherAt = nameEnd + FIELDS[kind].length * COMMITMENT_BYTES;
  if (cipherAt + TAG_BYTES > end) return null;
  const commitments = FIELDS[kind].map((_, i) =>
    source.subarray(nameEnd + i * COMMITMENT_BYTES, nameEnd + (i + 1) * COMMITMENT_BYTES),
  );
  const frame: Frame = {
    kind,
    sequence: source.readUIntBE(at + AT.sequence, 6),
    timeMs: source.readUIntBE(at + AT.time, 6),
    pseudonym: source.subarray(at + PSEUDONYM_AT, at + KEY_ID_AT),
    keyId: source.subarray(at + KEY_ID_AT, at + NONCE_AT),
    nonce: source.subarray(at + NONCE_AT, at + NAME_AT),
    name: source.toString("utf8", nameAt, nameEnd),
    commitments,
    sealed: source.subarray(cipherAt, end),
  };
  return { frame, end };
}
