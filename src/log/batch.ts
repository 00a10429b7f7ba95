// A batch: the frames of one flush, encrypted together under the key of their segment. docs/log-format.md lists every byte.
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { crc32 } from "node:zlib";
import { sha256 } from "../core/sha256.ts";
import { type Frame, MAX_FRAME_BYTES, readFrames } from "./frame.ts";

const MAGIC = 0xad17ba01;
/** Offsets in the head. The CRC covers everything after itself; the cipher authenticates the head from `length` on. */
const AT = { magic: 0, crc: 4, length: 8, count: 12, segment: 16, incarnation: 20, sequence: 26 } as const;
const HEAD_BYTES = 32;
const TAG_BYTES = 16;
const IV_BYTES = 12;
const DECIPHER = { authTagLength: TAG_BYTES };
const LABEL = Buffer.from("adyton segment key v1");

/** What a batch adds to its frames. */
export const BATCH_OVERHEAD_BYTES: number = HEAD_BYTES + TAG_BYTES;
export const MAX_BATCH_BYTES: number = MAX_FRAME_BYTES + BATCH_OVERHEAD_BYTES;
export const SEGMENT_SALT_BYTES = 32;

/** Which bytes count as batches of a segment: stale ones of a recycled file are bound to another number. */
export interface BatchBinding {
  readonly segment: number;
  readonly incarnation: number;
}

/**
 * Key of one segment: SHA-256(00000001 || write-ahead key || label || salt), the one-step derivation of NIST SP 800-56C
 * rev. 2 section 4. The salt is random and lies in the segment's header: overwriting it makes all that the file still
 * holds unreadable for ever.
 */
export function segmentKey(writeAheadKey: Buffer, salt: Uint8Array): KeyObject {
  return createSecretKey(sha256(Buffer.concat([Buffer.from([0, 0, 0, 1]), writeAheadKey, LABEL, salt])));
}

/** A segment is written front to back and never twice, so the offset of a batch is a nonce. */
function ivAt(offset: number): Buffer {
  const iv = Buffer.alloc(IV_BYTES);
  iv.writeUIntBE(offset, IV_BYTES - 6, 6);
  return iv;
}

/** Encrypts `plain`, the bytes of `count` frames, for `offset` of a segment. The parts are to be written in order. */
export function sealBatch(
  plain: Uint8Array,
  facts: BatchBinding & { key: KeyObject; offset: number; count: number; sequence: number },
): readonly [head: Buffer, cipher: Buffer, tag: Buffer] {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32BE(MAGIC, AT.magic);
  head.writeUInt32BE(plain.length + BATCH_OVERHEAD_BYTES, AT.length);
  head.writeUInt32BE(facts.count, AT.count);
  head.writeUInt32BE(facts.segment, AT.segment);
  head.writeUIntBE(facts.incarnation, AT.incarnation, 6);
  head.writeUIntBE(facts.sequence, AT.sequence, 6);
  const cipher = createCipheriv("aes-256-gcm", facts.key, ivAt(facts.offset));
  cipher.setAAD(head.subarray(AT.length));
  const sealed = cipher.update(plain);
  cipher.final();
  const tag = cipher.getAuthTag();
  head.writeUInt32BE(crc32(tag, crc32(sealed, crc32(head.subarray(AT.length)))), AT.crc);
  return [head, sealed, tag];
}

/**
 * Reads the batch at `at` of `source`, which is `offset` of its segment. A number: the bytes from `at` that must be there
 * before one can tell. Null: no batch of this segment begins here (end of the writing, a torn write, or stale bytes).
 */
export function readBatch(
  source: Buffer,
  at: number,
  facts: BatchBinding & { key: KeyObject; offset: number },
): { frames: Frame[]; end: number } | number | null {
  if (source.length < at + HEAD_BYTES) return HEAD_BYTES;
  if (!beginsBatch(source, at, facts)) return null;
  const length = source.readUInt32BE(at + AT.length);
  if (length <= BATCH_OVERHEAD_BYTES || length > MAX_BATCH_BYTES) return null;
  if (source.length < at + length) return length;
  const end = at + length;
  if (crc32(source.subarray(at + AT.length, end)) !== source.readUInt32BE(at + AT.crc)) return null;
  const decipher = createDecipheriv("aes-256-gcm", facts.key, ivAt(facts.offset), DECIPHER);
  decipher.setAAD(source.subarray(at + AT.length, at + HEAD_BYTES));
  decipher.setAuthTag(source.subarray(end - TAG_BYTES, end));
  const plain = decipher.update(source.subarray(at + HEAD_BYTES, end - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return null;
  }
  const count = source.readUInt32BE(at + AT.count);
  const frames = readFrames(plain, count, source.readUIntBE(at + AT.sequence, 6));
  return frames === null ? null : { frames, end };
}

/** Do these bytes claim to be a batch of this segment? True for a torn one too. */
export function beginsBatch(source: Buffer, at: number, { segment, incarnation }: BatchBinding): boolean {
  return (
    source.length >= at + HEAD_BYTES &&
    source.readUInt32BE(at + AT.magic) === MAGIC &&
    source.readUInt32BE(at + AT.segment) === segment &&
    source.readUIntBE(at + AT.incarnation, 6) === incarnation
  );
}

/** Length that a batch's head declares. */
export function batchBytes(head: Buffer): number {
  return head.readUInt32BE(AT.length);
}
