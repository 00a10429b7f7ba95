// The part of fsck that derives the tree again and holds every tile against it.
import { join } from "node:path";
import { equalBytes } from "../core/bytes.ts";
import { CompactRange, HASH_BYTES, rootOf } from "../core/merkle.ts";
import { isTileNode, TILE_WIDTH, tilePath, tileWidth } from "../core/tiles.ts";
import type { Disk } from "./disk.ts";
import { LogError } from "./errors.ts";
import type { Complain } from "./fsck-report.ts";
import { TileReader } from "./tile-reader.ts";

interface Where {
  readonly file: string;
  readonly offset: number;
  readonly index: number;
}

interface TreeCheckOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly size: number;
  /** Root of the checkpoint, which decides whether an entry or its tile is the bad one. */
  readonly root: Uint8Array | null;
  /** A head that was given out before, with quorum: the tree must have had this root at this size. */
  readonly earlier: { readonly file: string; readonly size: number; readonly root: Uint8Array } | null;
  readonly complain: Complain;
}

export class TreeCheck {
  readonly #options: TreeCheckOptions;
  readonly #reader: TileReader;
  readonly #range: CompactRange;
  /** Derived hashes of the tile being filled, by level. */
  readonly #levels: Uint8Array[][] = [];
  readonly #full: { level: number; index: number; hashes: Uint8Array[] }[] = [];
  #leafTile: { index: number; bytes: Buffer | null; trusted: boolean } = {
    index: -1,
    bytes: null,
    trusted: false,
  };
  tiles = 0;

  constructor(options: TreeCheckOptions) {
    this.#options = options;
    this.#reader = new TileReader(options.disk, options.folder);
    this.#range = new CompactRange({
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
   * bad, and the good hash is used from there on, so that one flipped bit is one problem.
   */
  async append(hash: Uint8Array | null, where: Where): Promise<void> {
    const index = Math.floor(where.index / TILE_WIDTH);
    if (this.#leafTile.index !== index) this.#leafTile = { index, ...(await this.#loadLeafTile(index)) };
    const at = (where.index % TILE_WIDTH) * HASH_BYTES;
    const listed = this.#leafTile.bytes?.subarray(at, at + HASH_BYTES);
    const known = listed?.length === HASH_BYTES ? listed : null;
    const differs = hash !== null && known !== null && !equalBytes(hash, known);
    if (differs && this.#leafTile.trusted)
      this.#options.complain({
        code: "leaf",
        ...where,
        message: "the entry does not hash to what its tile says",
      });
    const listedCounts = known !== null && (hash === null || (differs && this.#leafTile.trusted));
    // A copy: a view would keep its whole tile in memory.
    this.#range.append(listedCounts ? Uint8Array.from(known) : (hash ?? new Uint8Array(HASH_BYTES)));
    if (this.#full.length > 0)
      for (const tile of this.#full.splice(0)) await this.#compare(tile.level, tile.index, tile.hashes);
    if (this.size === this.#options.earlier?.size) this.#compareEarlier(this.#options.earlier);
  }

  #compareEarlier({ file, size, root }: NonNullable<TreeCheckOptions["earlier"]>): void {
    if (size <= this.size && equalBytes(this.root(), root)) return;
    const got = size > this.size ? `only ${this.size} records` : "another tree";
    const message = `expected the tree of ${size} records that witnesses cosigned, got ${got}`;
    this.#options.complain({ code: "root", file, offset: null, index: null, message });
  }

  /** A level-0 tile is trusted when it hashes to what the tile above, or the checkpoint's root, says. */
  async #loadLeafTile(index: number): Promise<{ bytes: Buffer | null; trusted: boolean }> {
    const { size, root } = this.#options;
    const width = tileWidth(0, index, size);
    const tile = await this.#reader.read({ level: 0, index, width });
    if (tile === null || tile.bytes.length < width * HASH_BYTES)
      return { bytes: tile?.bytes ?? null, trusted: false };
    const { bytes } = tile;
    try {
      if (width < TILE_WIDTH) {
        const whole = await this.#reader.range({ start: 0, end: size }, size);
        return { bytes, trusted: root !== null && equalBytes(whole, root) };
      }
      const above = await this.#reader.hashes(1, Math.floor(index / TILE_WIDTH), size);
      const at = (index % TILE_WIDTH) * HASH_BYTES;
      const hashes = Array.from({ length: width }, (_, i) =>
        bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
      );
      return { bytes, trusted: equalBytes(rootOf(hashes), above.subarray(at, at + HASH_BYTES)) };
    } catch (error) {
      if (error instanceof LogError) return { bytes, trusted: false };
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
    const { earlier } = this.#options;
    if (earlier !== null && earlier.size > this.size) this.#compareEarlier(earlier);
    for (const [level, hashes] of this.#levels.entries()) {
      if (hashes.length === 0) continue;
      await this.#compare(level, Math.floor(this.size / TILE_WIDTH ** (level + 1)), hashes);
    }
  }
}
