// Content packs: the ciphertext of 256 leaves in one file, next to the public log and named like its entry bundles.
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { Leaf } from "../core/leaf.ts";
import { TILE_WIDTH, tileIndexPath } from "../core/tiles.ts";
import { type Disk, makeFolder, readFully, settleAll } from "./disk.ts";
import type { SealedFrame } from "./sealing.ts";

const MAGIC = 0xad170c01;
/** In place of MAGIC where nonce and ciphertext were overwritten with zeroes. */
const MAGIC_ERASED = 0xad170c00;
/** magic, CRC, ciphertext length, key id, pseudonym, nonce. */
export const PACK_HEADER_BYTES = 68;

/** What a pack holds for one leaf. */
export interface PackRecord {
  readonly keyId: Buffer;
  readonly pseudonym: Buffer;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
  /** Nonce and ciphertext were destroyed: both are zeroes. */
  readonly erased: boolean;
}

/** Bytes that a leaf takes in its pack: none for one without content. */
export function packedBytes(leaf: Leaf): number {
  return leaf.bytes === undefined ? 0 : PACK_HEADER_BYTES + leaf.bytes;
}

export function packPath(folder: string, bundle: number): string {
  return join(folder, tileIndexPath(bundle));
}

function encodeHeader(frame: SealedFrame): Buffer {
  const header = Buffer.allocUnsafe(PACK_HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt32BE(frame.sealed.length, 8);
  header.set(frame.keyId, 12);
  header.set(frame.pseudonym, 20);
  header.set(frame.nonce, 36);
  header.writeUInt32BE(crc32(header.subarray(8)), 4);
  return header;
}

/** What stands before the zeroes of an erased record: whose it was, and under which key, but no nonce. */
export function erasedHeader(header: Buffer, bytes: number): Buffer {
  const erased = Buffer.alloc(PACK_HEADER_BYTES);
  erased.writeUInt32BE(MAGIC_ERASED, 0);
  erased.writeUInt32BE(bytes, 8);
  header.copy(erased, 12, 12, 36);
  erased.writeUInt32BE(crc32(erased.subarray(8)), 4);
  return erased;
}

/** Reads the record at `at`, which must hold `bytes` of ciphertext. Null: damaged or short. */
export function readPackRecord(pack: Buffer, at: number, bytes: number): PackRecord | null {
  const end = at + PACK_HEADER_BYTES + bytes;
  if (pack.length < end || pack.readUInt32BE(at + 8) !== bytes) return null;
  const magic = pack.readUInt32BE(at);
  if (magic !== MAGIC && magic !== MAGIC_ERASED) return null;
  const header = pack.subarray(at, at + PACK_HEADER_BYTES);
  if (crc32(header.subarray(8)) !== header.readUInt32BE(4)) return null;
  return {
    keyId: header.subarray(12, 20),
    pseudonym: header.subarray(20, 36),
    nonce: header.subarray(36, PACK_HEADER_BYTES),
    sealed: pack.subarray(at + PACK_HEADER_BYTES, end),
    erased: magic === MAGIC_ERASED,
  };
}

const MAX_KNOWN_FOLDERS = 4_096;
/** Bytes of a pack read at once, at most, unless one record is larger. */
const READ_AHEAD_BYTES: number = 1024 * 1024;

/** Reads one pack from front to back, a piece at a time; opens its file when something is first asked for. */
export class PackReader {
  readonly #disk: Disk;
  readonly #path: string;
  /** Where the last record ends. */
  readonly #end: number;
  #file: number | null = null;
  #piece: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(disk: Disk, path: string, end: number) {
    this.#disk = disk;
    this.#path = path;
    this.#end = end;
  }

  /** Whether `record` can answer for these bytes without `load`. */
  holds(offset: number, bytes: number): boolean {
    return offset >= this.#start && offset + bytes <= this.#start + this.#piece.length;
  }

  /** Reads on from `offset`, at least `bytes` where the file has so many. What was handed out stays as it is. */
  async load(offset: number, bytes: number): Promise<void> {
    this.#file ??= await this.#disk.open(this.#path, "r");
    const wanted = Math.max(bytes, Math.min(this.#end - offset, READ_AHEAD_BYTES));
    const piece = Buffer.allocUnsafeSlow(wanted);
    this.#piece = piece.subarray(0, await readFully(this.#disk, this.#file, piece, offset));
    this.#start = offset;
  }

  /** The record at `offset`, from what was loaded. Null: damaged or short. */
  record(offset: number, bytes: number): PackRecord | null {
    return readPackRecord(this.#piece, offset - this.#start, bytes);
  }

  async close(): Promise<void> {
    if (this.#file !== null) await this.#disk.close(this.#file);
    this.#file = null;
  }
}

/** Appends to packs. What lies behind the committed leaves is garbage of a crash and is cut when the ledger opens. */
export class PackWriter {
  readonly #disk: Disk;
  readonly #folder: string;
  /** Folders that are there: asking for each of a thousand packs in one folder costs more than writing them. */
  readonly #folders: Set<string> = new Set();
  #pending: Map<number, { offset: number; parts: Buffer[] }> = new Map();
  #bundle: number;
  #end: number;

  private constructor(disk: Disk, folder: string, bundle: number, end: number) {
    this.#disk = disk;
    this.#folder = folder;
    this.#bundle = bundle;
    this.#end = end;
  }

  /** Goes on behind `leaves`, the committed ones of the last, partial bundle; `size` is the committed tree size. */
  static async load(disk: Disk, folder: string, size: number, leaves: readonly Leaf[]): Promise<PackWriter> {
    const bundle = Math.floor(size / TILE_WIDTH);
    const end = leaves.reduce((sum, leaf) => sum + packedBytes(leaf), 0);
    const path = packPath(folder, bundle);
    const present = await disk.size(path);
    if (present !== null && present > end) {
      const file = await disk.open(path, "r+");
      await disk.truncate(file, end);
      await disk.datasync(file);
      await disk.close(file);
    }
    return new PackWriter(disk, folder, bundle, end);
  }

  /** Adds the content of leaf `index`; leaves come in order, those without content are skipped by the caller. */
  append(index: number, frame: SealedFrame): void {
    const bundle = Math.floor(index / TILE_WIDTH);
    if (bundle !== this.#bundle) {
      this.#bundle = bundle;
      this.#end = 0;
    }
    const pack = this.#pending.get(bundle) ?? { offset: this.#end, parts: [] };
    this.#pending.set(bundle, pack);
    pack.parts.push(encodeHeader(frame), frame.sealed);
    this.#end += PACK_HEADER_BYTES + frame.sealed.length;
  }

  /** Writes and syncs what was appended. `whole`: only packs to which nothing will be added. */
  async flush(options: { readonly whole?: boolean } = {}): Promise<void> {
    const pending = this.#pending;
    this.#pending = new Map();
    const last = pending.get(this.#bundle);
    if (options.whole && last !== undefined) {
      pending.delete(this.#bundle);
      this.#pending.set(this.#bundle, last);
    }
    await settleAll([...pending].map(([bundle, { offset, parts }]) => this.#put(bundle, offset, parts)));
  }

  async #put(bundle: number, offset: number, parts: readonly Buffer[]): Promise<void> {
    const path = packPath(this.#folder, bundle);
    const fresh = offset === 0;
    if (fresh && !this.#folders.has(dirname(path))) {
      await makeFolder(this.#disk, dirname(path));
      if (this.#folders.size >= MAX_KNOWN_FOLDERS) this.#folders.clear();
      this.#folders.add(dirname(path));
    }
    const file = await this.#disk.open(path, fresh ? "w+" : "r+");
    try {
      this.#disk.write(file, parts, offset);
      await this.#disk.datasync(file);
    } finally {
      await this.#disk.close(file);
    }
    if (fresh) await this.#disk.syncFolder(dirname(path));
  }
}
