// The part of fsck that derives the tree again and holds every tile against it.
import { join } from "node:path";
import { base64, equalBytes } from "../core/bytes.ts";
import { CompactRange, HASH_BYTES, rootOf } from "../core/merkle.ts";
import { isTileNode, TILE_WIDTH, tilePath, tileWidth } from "../core/tiles.ts";
import type { Disk } from "./disk.ts";
import { LogError } from "./errors.ts";
import type { Complain } from "./fsck-report.ts";
import type { TreeState } from "./fsck-resume.ts";
import { TileReader } from "./tile-reader.ts";

interface Where {
  readonly file: string;
  readonly offset: number;
  readonly index: number;
}

/** A head that witnesses cosigned, or that an authority put a time on. */
export interface EarlierHead {
  readonly file: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Who vouches, as in "that witnesses cosigned". */
  readonly vouched: string;
}

interface TreeCheckOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly size: number;
  /** Root of the checkpoint, which decides whether an entry or its tile is the bad one. */
  readonly root: Uint8Array | null;
  /** Heads that others have vouched for: the tree must have had this root at this size. */
  readonly earlier: readonly EarlierHead[];
  readonly complain: Complain;
  /** Where an interrupted check stood, and after how many leaves. */
  readonly from?: { readonly leaves: number; readonly state: TreeState };
}

/** `trusted`: does it hash to what stands above it? Null until somebody needs to know. */
interface LeafTile {
  readonly index: number;
  readonly bytes: Buffer | null;
  trusted: boolean | null;
}

export class TreeCheck {
  readonly #options: TreeCheckOptions;
  readonly #reader: TileReader;
  readonly #range: CompactRange;
  /** Derived hashes of the tile being filled, by level. */
  readonly #levels: Uint8Array[][] = [];
  readonly #full: { level: number; index: number; hashes: Uint8Array[] }[] = [];
  #earlier: EarlierHead[];
  #leafTile: LeafTile = { index: -1, bytes: null, trusted: null };
  tiles = 0;

  constructor(options: TreeCheckOptions) {
    this.#options = options;
    this.#earlier = options.earlier.toSorted((a, b) => a.size - b.size);
    this.#reader = new TileReader(options.disk, options.folder);
    const { leaves = 0, state } = options.from ?? {};
    for (const hashes of state?.levels ?? [])
      this.#levels.push(hashes.map((hash) => Buffer.from(hash, "base64")));
    this.tiles = state?.tiles ?? 0;
    // Heads in the part that was checked before were compared then.
    this.#earlier = this.#earlier.filter((head) => head.size > leaves);
    this.#range = new CompactRange({
      size: leaves,
      edge: (state?.edge ?? []).map((hash) => Buffer.from(hash, "base64")),
      onNode: (position, hash) => {
        if (isTileNode(position)) this.#collect(position.height / 8, position.index, hash);
      },
    });
  }

  get size(): number {
    return this.#range.size;
  }

  root(): Uint8Array {
    return this.#range.root();
  }

  /** Between two bundles. */
  save(): TreeState {
    const levels = this.#levels.map((hashes) => hashes.map(base64));
    return { edge: this.#range.edge().map(base64), levels, tiles: this.tiles };
  }

  #collect(level: number, index: number, hash: Uint8Array): void {
    let hashes = this.#levels[level];
    if (hashes === undefined) {
      hashes = [];
      this.#levels[level] = hashes;
    }
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    this.#full.push({ level, index: Math.floor(index / TILE_WIDTH), hashes });
    this.#levels[level] = [];
  }

  /**
   * Adds a leaf's hash; null: its entry could not be read. Where entry and tile disagree, the tree above tells which is
   * bad, and the good hash is used from there on, so that one flipped bit is one problem. Wait for what it returns, if
   * anything.
   */
  append(hash: Uint8Array | null, where: Where): Promise<void> | null {
    const listed = this.#listed(where.index);
    if (listed === undefined) return this.#readTileAndAppend(hash, where);
    if (hash === null || (listed !== null && !equalBytes(hash, listed)))
      return this.#settleDifference(hash, listed, where);
    return this.#add(hash);
  }

  /** What the tile says of a leaf; null: nothing; undefined: it is not read yet. */
  #listed(leaf: number): Uint8Array | null | undefined {
    const { index, bytes } = this.#leafTile;
    if (index !== Math.floor(leaf / TILE_WIDTH)) return undefined;
    const at = (leaf % TILE_WIDTH) * HASH_BYTES;
    const listed = bytes?.subarray(at, at + HASH_BYTES);
    return listed?.length === HASH_BYTES ? listed : null;
  }

  async #readTileAndAppend(hash: Uint8Array | null, where: Where): Promise<void> {
    const index = Math.floor(where.index / TILE_WIDTH);
    const width = tileWidth(0, index, this.#options.size);
    const tile = await this.#reader.read({ level: 0, index, width });
    this.#leafTile = { index, bytes: tile?.bytes ?? null, trusted: null };
    await this.append(hash, where);
  }

  async #settleDifference(hash: Uint8Array | null, listed: Uint8Array | null, where: Where): Promise<void> {
    this.#leafTile.trusted ??= await this.#isTrusted();
    const { trusted } = this.#leafTile;
    const differs = hash !== null && listed !== null;
    if (differs && trusted) {
      const message = "the entry does not hash to what its tile says";
      this.#options.complain({ code: "leaf", ...where, message });
    }
    const listedCounts = listed !== null && (hash === null || trusted);
    // A copy: a view would keep its whole tile in memory.
    await this.#add(listedCounts ? Uint8Array.from(listed) : (hash ?? new Uint8Array(HASH_BYTES)));
  }

  #add(hash: Uint8Array): Promise<void> | null {
    this.#range.append(hash);
    while (this.#earlier[0]?.size === this.size) this.#compareEarlier(this.#earlier.shift());
    return this.#full.length === 0 ? null : this.#compareFull();
  }

  async #compareFull(): Promise<void> {
    for (const tile of this.#full.splice(0)) await this.#compare(tile.level, tile.index, tile.hashes);
  }

  #compareEarlier(head: EarlierHead | undefined): void {
    if (head === undefined) return;
    const { file, size, root, vouched } = head;
    if (size <= this.size && equalBytes(this.root(), root)) return;
    const got = size > this.size ? `only ${this.size} records` : "another tree";
    const message = `expected the tree of ${size} records that ${vouched}, got ${got}`;
    this.#options.complain({ code: "root", file, offset: null, index: null, message });
  }

  /** A level-0 tile is trusted when it hashes to what the tile above, or the checkpoint's root, says. */
  async #isTrusted(): Promise<boolean> {
    const { size, root } = this.#options;
    const { index, bytes } = this.#leafTile;
    const width = tileWidth(0, index, size);
    if (bytes === null || bytes.length < width * HASH_BYTES) return false;
    try {
      if (width < TILE_WIDTH) {
        const whole = await this.#reader.range({ start: 0, end: size }, size);
        return root !== null && equalBytes(whole, root);
      }
      const above = await this.#reader.hashes(1, Math.floor(index / TILE_WIDTH), size);
      const at = (index % TILE_WIDTH) * HASH_BYTES;
      const hashes = Array.from({ length: width }, (_, i) =>
        bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
      );
      return equalBytes(rootOf(hashes), above.subarray(at, at + HASH_BYTES));
    } catch (error) {
      if (error instanceof LogError) return false;
      throw error;
    }
  }

  async #compare(level: number, index: number, hashes: readonly Uint8Array[]): Promise<void> {
    const name = { level, index, width: hashes.length };
    const tile = await this.#reader.read(name);
    this.tiles += 1;
    const file = tile?.path ?? join(this.#options.folder, tilePath(name));
    const report = (offset: number | null, message: string): void =>
      this.#options.complain({ code: "tile", file, offset, index: null, message });
    if (tile === null) return report(null, "expected a tile, got no file");
    const wanted = Buffer.concat(hashes);
    for (let at = 0; at < wanted.length; at++)
      if (tile.bytes[at] !== wanted[at]) return report(at, `expected the hash that is derived, got another`);
    const partial = file.endsWith(tilePath(name)) && hashes.length < TILE_WIDTH;
    if ((partial || hashes.length === TILE_WIDTH) && tile.bytes.length !== wanted.length)
      report(wanted.length, `expected ${wanted.length} bytes, got ${tile.bytes.length}`);
  }

  /** Compares the partial tiles of the right edge. */
  async finish(): Promise<void> {
    for (const head of this.#earlier.splice(0)) if (head.size > this.size) this.#compareEarlier(head);
    for (const [level, hashes] of this.#levels.entries()) {
      if (hashes.length === 0) continue;
      await this.#compare(level, Math.floor(this.size / TILE_WIDTH ** (level + 1)), hashes);
    }
  }
}
