// Write-ahead segments: preallocated, zero-filled files that a writer fills with batches and the ledger reads back.
import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { MAX_BATCH_BYTES, readBatch, SEGMENT_SALT_BYTES, segmentKey } from "./batch.ts";
import { type Disk, makeFolder, readFully } from "./disk.ts";
import type { Frame } from "./frame.ts";

/** A writer's name is a folder's name too. */
export const WRITER_NAME: RegExp = /^[a-z0-9][a-z0-9-]{0,63}$/;
export const SEGMENT_HEADER_BYTES = 160;
/** Default length; a multiple of any disk block. */
export const SEGMENT_BYTES: number = 16 * 1024 * 1024;
const MAGIC = Buffer.from("ADYSEG1\n", "latin1");
const VERSION = 2;
const SALT_AT = 100;
/** How much of a segment is read at once. */
const READ_BYTES: number = 1024 * 1024;
const ZERO_BYTES: number = 1024 * 1024;

export interface SegmentHeader {
  readonly writer: string;
  readonly number: number;
  /** Grows with every start of the writer (milliseconds of the start). */
  readonly incarnation: number;
  /** Sequence number of the first frame. */
  readonly firstSequence: number;
  /** Sequence numbers from here to `firstSequence` were refused by the disk and never acknowledged. */
  readonly lostFrom: number;
  /** What the segment's key is derived from: 32 random bytes. */
  readonly salt: Uint8Array;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(10, "0")}.seg`;
}

/** Numbers of the segment files in a writer's folder, ascending. */
export async function segmentNumbers(disk: Disk, folder: string): Promise<number[]> {
  const names = await disk.list(folder);
  const numbers = names.filter((name) => /^\d{10}\.seg$/.test(name)).map((name) => Number(name.slice(0, 10)));
  return numbers.sort((a, b) => a - b);
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt16BE(VERSION, 8);
  bytes.writeUInt32BE(header.number, 12);
  bytes.writeUIntBE(header.incarnation, 16, 6);
  bytes.writeUIntBE(header.firstSequence, 22, 6);
  bytes.writeUIntBE(header.lostFrom, 28, 6);
  bytes.writeUInt8(header.writer.length, 34);
  bytes.write(header.writer, 35, "latin1");
  bytes.set(header.salt, SALT_AT);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4)), SEGMENT_HEADER_BYTES - 4);
  return bytes;
}

/** Null where the bytes are no header, or that of a file which has been given another number since (recycled). */
export function decodeSegmentHeader(
  bytes: Buffer,
  expected: { writer: string; number: number },
): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return null;
  const crcAt = SEGMENT_HEADER_BYTES - 4;
  if (bytes.readUInt16BE(8) !== VERSION || crc32(bytes.subarray(0, crcAt)) !== bytes.readUInt32BE(crcAt))
    return null;
  const header: SegmentHeader = {
    writer: bytes.toString("latin1", 35, 35 + bytes.readUInt8(34)),
    number: bytes.readUInt32BE(12),
    incarnation: bytes.readUIntBE(16, 6),
    firstSequence: bytes.readUIntBE(22, 6),
    lostFrom: bytes.readUIntBE(28, 6),
    salt: bytes.subarray(SALT_AT, SALT_AT + SEGMENT_SALT_BYTES),
  };
  return header.writer === expected.writer && header.number === expected.number ? header : null;
}

/** Makes a zero-filled file and syncs its bytes and its name. */
export async function createSegmentFile(
  disk: Disk,
  path: string,
  folder: string,
  bytes: number,
): Promise<void> {
  await makeFolder(disk, folder);
  const file = await disk.open(path, "w+");
  try {
    const zeroes = Buffer.alloc(Math.min(bytes, ZERO_BYTES));
    for (let at = 0; at < bytes; at += zeroes.length) {
      disk.write(file, [zeroes.subarray(0, Math.min(zeroes.length, bytes - at))], at);
      await disk.datasync(file); // piece by piece, so that a large file does not hold up the syncs of live records
    }
  } finally {
    await disk.close(file);
  }
  await disk.syncFolder(folder);
}

/**
 * Makes a segment unreadable and removes it: without the salt in its header nobody has its key. Nothing to remove is no
 * error. Copies that the file system or the disk keep are beyond reach.
 */
export async function forgetSegment(disk: Disk, path: string): Promise<void> {
  if ((await disk.size(path)) === null) return;
  const file = await disk.open(path, "r+");
  try {
    disk.write(file, [Buffer.alloc(SEGMENT_HEADER_BYTES)], 0);
    await disk.datasync(file);
  } finally {
    await disk.close(file);
  }
  await disk.remove(path);
}

/** Reads one writer's segment files. Trusts nothing that it reads: torn and stale bytes are expected here. */
export class SegmentReader {
  readonly #disk: Disk;
  readonly #file: number;
  readonly #key: KeyObject;
  readonly header: SegmentHeader;
  readonly path: string;

  private constructor(
    disk: Disk,
    file: number,
    { header, path, key }: { header: SegmentHeader; path: string; key: KeyObject },
  ) {
    this.#disk = disk;
    this.#file = file;
    this.#key = key;
    this.header = header;
    this.path = path;
  }

  /** Null when the file is missing or not (yet) a segment of this writer with this number. */
  static async open(
    disk: Disk,
    folder: string,
    { writer, number, writeAheadKey }: { writer: string; number: number; writeAheadKey: Buffer },
  ): Promise<SegmentReader | null> {
    const path = join(folder, segmentName(number));
    if ((await disk.size(path)) === null) return null;
    let file: number;
    try {
      file = await disk.open(path, "r");
    } catch (error) {
      // Recycled between the two calls.
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const count = await readFully(disk, file, bytes, 0);
    const header = decodeSegmentHeader(bytes.subarray(0, count), { writer, number });
    if (header === null) {
      await disk.close(file);
      return null;
    }
    return new SegmentReader(disk, file, { header, path, key: segmentKey(writeAheadKey, header.salt) });
  }

  /**
   * Frames of the batches from `offset` on until there is no valid one or `limitBytes` are read. `end`: offset after the
   * last. `more`: the limit stopped it.
   */
  async frames(offset: number, limitBytes: number): Promise<{ frames: Frame[]; end: number; more: boolean }> {
    const frames: Frame[] = [];
    let end = offset;
    let wanted = READ_BYTES;
    while (end - offset < limitBytes) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(wanted, MAX_BATCH_BYTES));
      const count = await readFully(this.#disk, this.#file, chunk, end);
      const source = chunk.subarray(0, count);
      let at = 0;
      let read = this.#read(source, at, end + at);
      while (typeof read === "object" && read !== null) {
        frames.push(...read.frames);
        at = read.end;
        read = this.#read(source, at, end + at);
      }
      end += at;
      // A number: the rest of a batch may lie beyond what was read. At the end of the file there is no rest.
      if (read === null || count < chunk.length) return { frames, end, more: false };
      wanted = Math.max(READ_BYTES, read);
    }
    return { frames, end, more: true };
  }

  /** Start of the first valid batch after `offset`, searching byte by byte: what can be saved behind damage. */
  async salvage(offset: number): Promise<number | null> {
    const size = (await this.#disk.size(this.path)) ?? 0;
    const all = Buffer.allocUnsafeSlow(Math.max(0, size - offset));
    const source = all.subarray(0, await readFully(this.#disk, this.#file, all, offset));
    for (let at = 1; at < source.length; at++) {
      if (source[at] !== 0xad) continue;
      const read = this.#read(source, at, offset + at);
      if (typeof read === "object" && read !== null) return offset + at;
    }
    return null;
  }

  #read(source: Buffer, at: number, offset: number): ReturnType<typeof readBatch> {
    const { number, incarnation } = this.header;
    return readBatch(source, at, { segment: number, incarnation, key: this.#key, offset });
  }

  async close(): Promise<void> {
    await this.#disk.close(this.#file);
  }
}
