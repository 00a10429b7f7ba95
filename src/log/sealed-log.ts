// Reads the sealed log from any process: the verified checkpoint, records in clear, proofs. Writes nothing.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../config/data-folder.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { type Leaf, parseLeaf } from "../core/leaf.ts";
import { consistencyRanges, EMPTY_ROOT, inclusionRanges } from "../core/merkle.ts";
import { formatProof } from "../core/proof.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import { readCheckpoint } from "./checkpoint-file.ts";
import { packedBytes, packPath, readPackRecord } from "./content-pack.ts";
import { type Disk, NODE_DISK, readFully } from "./disk.ts";
import { LogError } from "./errors.ts";
import { ExchangeIndex } from "./exchange-index.ts";
import type { Keyring } from "./keyring.ts";
import { openRecord } from "./record-reader.ts";
import { TileReader } from "./tile-reader.ts";

/** Ciphertext read at once, at most, unless one record is larger. */
const READ_AHEAD_BYTES: number = 1024 * 1024;

export interface SealedRecord {
  readonly index: number;
  readonly leaf: Leaf;
  /** Field name to bytes; null: erased, or a leaf without content. */
  readonly content: ReadonlyMap<string, Uint8Array> | null;
  /** The account id in clear; null: erased, or the installation itself. */
  readonly account: string | null;
  /** 32-byte salt of each field: with it the field's commitment can be shown to others. */
  readonly salts: ReadonlyMap<string, Uint8Array> | null;
}

export interface SealedLogOptions {
  /** The data folder. */
  readonly folder: string;
  readonly keys: Keyring;
  readonly origin?: string | null;
  readonly disk?: Disk;
  /** Check digests and commitments of what is read. Default: true. */
  readonly verify?: boolean;
}

export class SealedLog {
  readonly #folder: DataFolder;
  readonly #keys: Keyring;
  readonly #origin: string;
  readonly #disk: Disk;
  readonly #verify: boolean;
  readonly #tiles: TileReader;
  #index: ExchangeIndex | null = null;
  #head: Checkpoint | null = null;
  #headBytes: Buffer | null = null;

  private constructor(options: SealedLogOptions) {
    this.#folder = new DataFolder(options.folder);
    this.#keys = options.keys;
    this.#origin = options.origin ?? options.keys.origin;
    this.#disk = options.disk ?? NODE_DISK;
    this.#verify = options.verify ?? true;
    this.#tiles = new TileReader(this.#disk, this.#folder.log);
  }

  static async open(options: SealedLogOptions): Promise<SealedLog> {
    const log = new SealedLog(options);
    await log.size();
    return log;
  }

  /** Leaves that the newest checkpoint covers; 0 before the ledger's first start. */
  async size(): Promise<number> {
    return (await this.#checkpoint())?.size ?? 0;
  }

  /** The newest checkpoint, its signature verified. Throws `log.not-found` before the ledger's first start. */
  async checkpoint(): Promise<Checkpoint> {
    const checkpoint = await this.#checkpoint();
    if (checkpoint === null)
      throw new LogError("log.not-found", "expected a checkpoint, got none: no ledger ran yet");
    return checkpoint;
  }

  async #checkpoint(): Promise<Checkpoint | null> {
    const bytes = await this.#disk.readFile(this.#folder.checkpoint);
    if (bytes === null) return null;
    if (this.#headBytes !== null && bytes.equals(this.#headBytes)) return this.#head;
    this.#head = await readCheckpoint(
      this.#disk,
      this.#folder.checkpoint,
      this.#keys.verifierKeys(this.#origin),
    );
    this.#headBytes = bytes;
    return this.#head;
  }

  /** Leaves of one bundle up to `end`, and where each one's content begins in the pack. */
  async #bundle(bundle: number, end: number): Promise<{ leaves: Leaf[]; offsets: number[] }> {
    const entries = await this.#tiles.entries(bundle, Math.min(TILE_WIDTH, end - bundle * TILE_WIDTH));
    const offsets: number[] = [];
    let offset = 0;
    const leaves = entries.map((entry, i) => {
      const leaf = parseLeaf(entry.bytes);
      if (leaf === null)
        throw new LogError(
          "log.damaged",
          `expected a leaf at index ${bundle * TILE_WIDTH + i}, got other bytes`,
        );
      offsets.push(offset);
      offset += packedBytes(leaf);
      return leaf;
    });
    return { leaves, offsets };
  }

  /**
   * Records [from, to) in order, at most up to the newest checkpoint; reads a bundle at a time. Throws `log.damaged` where
   * content does not fit its leaf.
   */
  async *records(from: number, to: number): AsyncIterable<SealedRecord> {
    const size = await this.size();
    const end = Math.min(to, size);
    for (let index = Math.max(0, from); index < end; ) {
      const bundle = Math.floor(index / TILE_WIDTH);
      const last = Math.min(end, (bundle + 1) * TILE_WIDTH);
      yield* this.#recordsOfBundle(bundle, index, last, size);
      index = last;
    }
  }

  /** The last bundle exists only as wide as the tree of `size` leaves made it, however few of its records are asked for. */
  async *#recordsOfBundle(
    bundle: number,
    from: number,
    to: number,
    size: number,
  ): AsyncIterable<SealedRecord> {
    const { leaves, offsets } = await this.#bundle(bundle, size);
    const wanted = leaves.slice(from % TILE_WIDTH, to - bundle * TILE_WIDTH);
    const pack = wanted.some((leaf) => leaf.bytes !== undefined)
      ? await this.#disk.open(packPath(this.#folder.content, bundle), "r")
      : null;
    let ahead = Buffer.alloc(0);
    let aheadAt = 0;
    try {
      for (const [i, leaf] of wanted.entries()) {
        const offset = offsets[(from % TILE_WIDTH) + i] ?? 0;
        const end = offset + packedBytes(leaf);
        if (pack !== null && end > aheadAt + ahead.length) {
          // What was handed out may still be in use: read on into a new buffer.
          const rest = (offsets.at(-1) ?? 0) + packedBytes(leaves.at(-1) ?? leaf) - offset;
          ahead = Buffer.allocUnsafeSlow(Math.max(end - offset, Math.min(rest, READ_AHEAD_BYTES)));
          ahead = ahead.subarray(0, await readFully(this.#disk, pack, ahead, offset));
          aheadAt = offset;
        }
        yield this.#open(from + i, leaf, ahead, offset - aheadAt);
      }
    } finally {
      if (pack !== null) await this.#disk.close(pack);
    }
  }

  #open(index: number, leaf: Leaf, pack: Buffer, at: number): SealedRecord {
    const bare = { index, leaf, content: null, account: null, salts: null };
    if (leaf.bytes === undefined) return bare;
    const record = readPackRecord(pack, at, leaf.bytes);
    if (record === null)
      throw new LogError("log.damaged", `the content of record ${index} is damaged (pack)`);
    const opened = openRecord(record, leaf, this.#keys, { verify: this.#verify });
    if (opened.state === "damaged")
      throw new LogError("log.damaged", `the content of record ${index} is damaged (${opened.fault})`);
    if (opened.state === "erased") return bare;
    const { content, account, salts } = opened.unsealed;
    return { index, leaf, content, account, salts };
  }

  /** One record. Throws `log.not-found`, `log.damaged`. */
  async record(index: number): Promise<SealedRecord> {
    for await (const record of this.records(index, index + 1)) return record;
    throw new LogError("log.not-found", `expected an index below the log's size, got ${index}`);
  }

  /** One leaf with the bytes that the tree hashes. Throws `log.not-found`. */
  async leaf(index: number): Promise<{ leaf: Leaf; bytes: Uint8Array }> {
    const size = await this.size();
    if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
      throw new LogError("log.not-found", `expected an index below ${size}, got ${index}`);
    const bundle = Math.floor(index / TILE_WIDTH);
    const entries = await this.#tiles.entries(bundle, Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH));
    const bytes = entries[index % TILE_WIDTH]?.bytes ?? new Uint8Array();
    const leaf = parseLeaf(bytes);
    if (leaf === null)
      throw new LogError("log.damaged", `expected a leaf at index ${index}, got other bytes`);
    return { leaf, bytes };
  }

  /** Leaf indexes of an exchange: its newest open and its newest close (or interruption). */
  async findExchange(exchange: string): Promise<{ open?: number; close?: number }> {
    const size = await this.size();
    const path = join(this.#folder.ledger, "index.sqlite");
    if (this.#index === null && existsSync(path)) this.#index = ExchangeIndex.open(path);
    const found = this.#index?.find(exchange, size) ?? {};
    // The index may lag behind the checkpoint by what the ledger is just sealing.
    for (let index = this.#index?.size ?? 0; index < size; ) {
      const bundle = Math.floor(index / TILE_WIDTH);
      const { leaves } = await this.#bundle(bundle, size);
      for (; index < Math.min(size, (bundle + 1) * TILE_WIDTH); index++) {
        const leaf = leaves[index % TILE_WIDTH];
        if (leaf?.exchange === exchange)
          Object.assign(found, leaf.kind === "open" ? { open: index } : { close: index });
      }
    }
    return found;
  }

  /** A C2SP tlog-proof that record `index` is in the newest checkpoint, with the leaf's bytes as `extra`. */
  async prove(index: number): Promise<string> {
    const checkpoint = await this.checkpoint();
    const { bytes } = await this.leaf(index);
    const hashes: Uint8Array[] = [];
    for (const range of inclusionRanges(index, checkpoint.size))
      hashes.push(await this.#tiles.range(range, checkpoint.size));
    return formatProof({ index, hashes, checkpoint: checkpoint.note, extra: bytes });
  }

  /** Consistency proof (RFC 6962 section 2.1.2) between two sizes, 0 < first <= second <= size(). */
  async proveConsistency(first: number, second: number): Promise<Uint8Array[]> {
    const size = await this.size();
    if (second > size) throw new LogError("log.not-found", `expected sizes up to ${size}, got ${second}`);
    const hashes: Uint8Array[] = [];
    for (const range of consistencyRanges(first, second)) hashes.push(await this.#tiles.range(range, size));
    return hashes;
  }

  /** Root of the tree at an earlier size. */
  async rootAt(size: number): Promise<Uint8Array> {
    const newest = await this.size();
    if (size > newest) throw new LogError("log.not-found", `expected sizes up to ${newest}, got ${size}`);
    return size === 0 ? EMPTY_ROOT : await this.#tiles.range({ start: 0, end: size }, newest);
  }

  close(): void {
    this.#index?.close();
    this.#index = null;
  }
}
