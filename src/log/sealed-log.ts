// Reads the sealed log from any process: the verified checkpoint, records in clear, proofs. Writes nothing.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../config/data-folder.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { type Leaf, parseLeaf } from "../core/leaf.ts";
import { consistencyRanges, EMPTY_ROOT, inclusionRanges } from "../core/merkle.ts";
import { formatProof } from "../core/proof.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import { type PlacedTombstone, parseTombstone, TOMBSTONE_ACT } from "../core/tombstone.ts";
import type { VerifierKey } from "../core/verifier-key.ts";
import { readCheckpoint } from "./checkpoint-file.ts";
import { PackReader, packedBytes, packPath } from "./content-pack.ts";
import { type Disk, NODE_DISK } from "./disk.ts";
import { LogError } from "./errors.ts";
import { ExchangeIndex } from "./exchange-index.ts";
import type { Keyring } from "./keyring.ts";
import { openRecord } from "./record-reader.ts";
import { TileReader } from "./tile-reader.ts";

/** Bundles kept as leaves, for whoever asks for single records near each other; about 200 KB each. */
const MAX_CACHED_BUNDLES = 16;

/** Leaves of a bundle, and where each one's content begins in the pack; `end`: where the last one's ends. */
interface Bundle {
  readonly leaves: readonly Leaf[];
  readonly offsets: readonly number[];
  readonly end: number;
}

/** A leaf, and where in its content pack its record begins. */
export interface PlacedLeaf {
  readonly index: number;
  readonly leaf: Leaf;
  readonly offset: number;
}

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
  /** Keys of witnesses: their cosignatures are verified too, where a checkpoint has any. */
  readonly witnesses?: readonly VerifierKey[];
  /** Check digests and commitments of what is read. Default: true. */
  readonly verify?: boolean;
}

export class SealedLog {
  readonly #folder: DataFolder;
  readonly #keys: Keyring;
  readonly #trusted: readonly VerifierKey[];
  readonly #disk: Disk;
  readonly #verify: boolean;
  readonly #tiles: TileReader;
  readonly #bundles: Map<number, Bundle> = new Map();
  #index: ExchangeIndex | null = null;
  #head: Checkpoint | null = null;
  #headBytes: Buffer | null = null;

  private constructor(options: SealedLogOptions) {
    this.#folder = new DataFolder(options.folder);
    this.#keys = options.keys;
    this.#trusted = [...options.keys.verifierKeys(options.origin ?? undefined), ...(options.witnesses ?? [])];
    this.#disk = options.disk ?? NODE_DISK;
    this.#verify = options.verify ?? true;
    this.#tiles = new TileReader(this.#disk, this.#folder.log);
  }

  static async open(options: SealedLogOptions): Promise<SealedLog> {
    const log = new SealedLog(options);
    await log.size();
    return log;
  }

  /** What leaves call an account. */
  pseudonymOf(account: string): string {
    return this.#keys.pseudonymOf(account);
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

  /** The newest checkpoint that reached the quorum of witnesses; null where there is none, or no quorum is configured. */
  async cosigned(): Promise<Checkpoint | null> {
    return await readCheckpoint(this.#disk, this.#folder.cosignedCheckpoint, this.#trusted);
  }

  async #checkpoint(): Promise<Checkpoint | null> {
    const bytes = await this.#disk.readFile(this.#folder.checkpoint);
    if (bytes === null) return null;
    if (this.#headBytes !== null && bytes.equals(this.#headBytes)) return this.#head;
    this.#head = await readCheckpoint(this.#disk, this.#folder.checkpoint, this.#trusted);
    this.#headBytes = bytes;
    return this.#head;
  }

  /** One bundle, as wide as a tree of `size` leaves has it. */
  async #bundle(index: number, size: number): Promise<Bundle> {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const known = this.#bundles.get(index);
    if (known !== undefined && known.leaves.length >= width) return known;
    const leaves: Leaf[] = [];
    const offsets: number[] = [];
    let end = 0;
    for (const entry of await this.#tiles.entries(index, width)) {
      const leaf = parseLeaf(entry.bytes);
      if (leaf === null) {
        const at = index * TILE_WIDTH + leaves.length;
        throw new LogError("log.damaged", `expected a leaf at index ${at}, got other bytes`);
      }
      leaves.push(leaf);
      offsets.push(end);
      end += packedBytes(leaf);
    }
    const bundle = { leaves, offsets, end };
    this.#bundles.delete(index);
    this.#bundles.set(index, bundle);
    const oldest = this.#bundles.keys().next();
    if (this.#bundles.size > MAX_CACHED_BUNDLES && !oldest.done) this.#bundles.delete(oldest.value);
    return bundle;
  }

  /**
   * Records [from, to) in order, at most up to the newest checkpoint; reads a bundle at a time. Throws `log.damaged` where
   * content does not fit its leaf.
   */
  async *records(from: number, to: number): AsyncIterable<SealedRecord> {
    const size = await this.size();
    const end = Math.min(to, size);
    for (let index = Math.max(0, from); index < end; ) {
      const last = Math.min(end, (Math.floor(index / TILE_WIDTH) + 1) * TILE_WIDTH);
      const wanted = Array.from({ length: last - index }, (_, i) => index + i);
      yield* this.#recordsOfBundle(wanted, size);
      index = last;
    }
  }

  /** Records by their indexes, which must ascend. Throws `log.damaged`, `log.not-found`. */
  async *recordsAt(indexes: readonly number[]): AsyncIterable<SealedRecord> {
    const size = await this.size();
    for (let from = 0; from < indexes.length; ) {
      const bundle = Math.floor((indexes[from] ?? 0) / TILE_WIDTH);
      let to = from + 1;
      while (to < indexes.length && Math.floor((indexes[to] ?? 0) / TILE_WIDTH) === bundle) to += 1;
      if ((indexes[to - 1] ?? 0) >= size)
        throw new LogError("log.not-found", `expected indexes below ${size}, got ${indexes[to - 1]}`);
      yield* this.#recordsOfBundle(indexes.slice(from, to), size);
      from = to;
    }
  }

  /** At least one; ascending, all of one bundle. */
  async *#recordsOfBundle(indexes: readonly number[], size: number): AsyncIterable<SealedRecord> {
    const number = Math.floor((indexes[0] ?? 0) / TILE_WIDTH);
    const { leaves, offsets } = await this.#bundle(number, size);
    const last = (indexes.at(-1) ?? 0) % TILE_WIDTH;
    const lastLeaf = leaves[last];
    const end = (offsets[last] ?? 0) + (lastLeaf === undefined ? 0 : packedBytes(lastLeaf));
    const pack = new PackReader(this.#disk, packPath(this.#folder.content, number), end);
    try {
      for (const index of indexes) {
        const leaf = leaves[index % TILE_WIDTH];
        if (leaf === undefined) throw new TypeError(`expected leaf ${index} in its bundle`);
        const offset = offsets[index % TILE_WIDTH] ?? 0;
        const bytes = packedBytes(leaf);
        if (bytes > 0 && !pack.holds(offset, bytes)) await pack.load(offset, bytes);
        yield this.#open(index, leaf, pack, offset);
      }
    } finally {
      await pack.close();
    }
  }

  /** Leaves [from, to) in order with the place of each one's content in its pack, at most up to the newest checkpoint. */
  async *leaves(from: number, to: number): AsyncIterable<PlacedLeaf> {
    const size = await this.size();
    const end = Math.min(to, size);
    for (let index = Math.max(0, from); index < end; index++) {
      const { leaves, offsets } = await this.#bundle(Math.floor(index / TILE_WIDTH), size);
      const leaf = leaves[index % TILE_WIDTH];
      if (leaf === undefined) throw new TypeError(`expected leaf ${index} in its bundle`);
      yield { index, leaf, offset: offsets[index % TILE_WIDTH] ?? 0 };
    }
  }

  #open(index: number, leaf: Leaf, pack: PackReader, offset: number): SealedRecord {
    const bare = { index, leaf, content: null, account: null, salts: null };
    if (leaf.bytes === undefined) return bare;
    const record = pack.record(offset, leaf.bytes);
    if (record === null)
      throw new LogError("log.damaged", `the content of record ${index} is damaged (pack)`);
    const opened = openRecord(record, leaf, this.#keys, { verify: this.#verify });
    if (opened.state === "damaged")
      throw new LogError("log.damaged", `the content of record ${index} is damaged (${opened.fault})`);
    if (opened.state === "erased") return bare;
    const { content, account, salts } = opened.unsealed;
    return { index, leaf, content, account, salts };
  }

  /** Every tombstone, in order. Looks through all leaves: seconds in a log of millions. */
  async tombstones(): Promise<PlacedTombstone[]> {
    const found: PlacedTombstone[] = [];
    for await (const { index, leaf } of this.leaves(0, Number.MAX_SAFE_INTEGER)) {
      if (leaf.act !== TOMBSTONE_ACT) continue;
      const detail = (await this.record(index)).content?.get("detail");
      const tombstone = detail === undefined ? null : parseTombstone(detail);
      if (tombstone !== null) found.push({ ...tombstone, index, time: leaf.time });
    }
    return found;
  }

  /** One record. Throws `log.not-found`, `log.damaged`. */
  async record(index: number): Promise<SealedRecord> {
    for await (const record of this.records(index, index + 1)) return record;
    throw new LogError("log.not-found", `expected an index below the log's size, got ${index}`);
  }

  /** One leaf with the bytes that the tree hashes. Throws `log.not-found`. */
  async leaf(index: number): Promise<{ leaf: Leaf; bytes: Uint8Array }> {
    return await this.#entry(index, await this.size());
  }

  async #entry(index: number, size: number): Promise<{ leaf: Leaf; bytes: Uint8Array }> {
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

  /** Every leaf of an exchange, ascending. */
  async leavesOf(exchange: string): Promise<number[]> {
    const size = await this.size();
    const index = this.#openIndex();
    const found = index?.all(exchange, size) ?? [];
    for await (const { index: at, leaf } of this.leaves(index?.size ?? 0, size))
      if (leaf.exchange === exchange && !found.includes(at)) found.push(at);
    return found.sort((a, b) => a - b);
  }

  #openIndex(): ExchangeIndex | null {
    const path = join(this.#folder.ledger, "index.sqlite");
    if (this.#index === null && existsSync(path)) this.#index = ExchangeIndex.open(path);
    return this.#index;
  }

  /** Leaf indexes of an exchange: its newest open and its newest close (or interruption). */
  async findExchange(exchange: string): Promise<{ open?: number; close?: number }> {
    const size = await this.size();
    const known = this.#openIndex();
    const found = known?.find(exchange, size) ?? {};
    // The index may lag behind the checkpoint by what the ledger is just sealing.
    for (let index = known?.size ?? 0; index < size; ) {
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

  /**
   * A C2SP tlog-proof of record `index`, with the leaf's bytes as `extra`: in the newest checkpoint that reached the quorum
   * of witnesses if that covers the record, else in the newest one.
   */
  async prove(index: number): Promise<string> {
    const cosigned = await this.cosigned(); // first, so that it can't be newer than the newest
    const newest = await this.checkpoint();
    const checkpoint = cosigned !== null && index < cosigned.size ? cosigned : newest;
    return await this.proveIn(index, checkpoint);
  }

  /** The same in a checkpoint of the caller's choice. */
  async proveIn(index: number, checkpoint: Pick<Checkpoint, "size" | "note">): Promise<string> {
    return await (await this.prover(checkpoint))(index);
  }

  /** Proves many records in one checkpoint. Throws `log.not-found`, `log.damaged`. */
  async prover(checkpoint: Pick<Checkpoint, "size" | "note">): Promise<(index: number) => Promise<string>> {
    const size = await this.size();
    return async (index) => {
      const extra = (await this.#entry(index, size)).bytes;
      const hashes: Uint8Array[] = [];
      // Subtrees that are whole in the smaller tree are the same in the newest one, whose tiles are on disk.
      for (const range of inclusionRanges(index, checkpoint.size))
        hashes.push(await this.#tiles.range(range, size));
      return formatProof({ index, hashes, checkpoint: checkpoint.note, extra });
    };
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
