// Grows the tree on disk: entry bundles and tiles, full and partial, with the hot right edge kept in memory.
import { dirname, join } from "node:path";
import { concatBytes, equalBytes } from "../core/bytes.ts";
import { CompactRange, HASH_BYTES, leafHash } from "../core/merkle.ts";
import {
  encodeBundle,
  isTileNode,
  TILE_WIDTH,
  type TileName,
  tileIndexPath,
  tileLevels,
  tilePath,
  tileWidth,
} from "../core/tiles.ts";
import { type Disk, makeFolder, replaceFile, settleAll } from "./disk.ts";
import { TileReader } from "./tile-reader.ts";

interface Level {
  /** Index of the tile being filled. */
  index: number;
  hashes: Uint8Array[];
  changed: boolean;
}

interface TileFile {
  readonly tile: TileName;
  readonly bytes: Uint8Array;
}

export class TreeWriter {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #range: CompactRange;
  readonly #levels: Level[] = [];
  #entries: Uint8Array[] = [];
  #entriesChanged = false;
  /** Full tiles and bundles since the last flush. */
  #full: TileFile[] = [];
  /** Tiles that became full: their partial forms may go once the size is committed. */
  #filled: TileName[] = [];
  /** Folders of partial forms that are on disk. */
  readonly #partials: Set<string> = new Set();
  readonly #folders: Set<string> = new Set();

  private constructor(disk: Disk, folder: string, size: number, edge: readonly Uint8Array[]) {
    this.#disk = disk;
    this.#folder = folder;
    this.#range = new CompactRange({
      size,
      edge,
      onNode: (position, hash) => {
        if (isTileNode(position)) this.#addHash(position.height / 8, hash);
      },
    });
  }

  /** Continues the tree of `size` leaves that is on disk. Throws `log.damaged`. */
  static async load(disk: Disk, folder: string, size: number): Promise<TreeWriter> {
    const tiles = new TileReader(disk, folder);
    const writer = new TreeWriter(disk, folder, size, await tiles.edge(size));
    for (let level = 0; level < tileLevels(size); level++) {
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      const width = tileWidth(level, index, size);
      const hashes: Uint8Array[] = [];
      const bytes = width === 0 ? Buffer.alloc(0) : await tiles.hashes(level, index, size);
      for (let i = 0; i < width; i++) hashes.push(bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
      writer.#levels[level] = { index, hashes, changed: false };
      writer.#partials.add(writer.#partialFolder(level, index));
    }
    const width = size % TILE_WIDTH;
    writer.#partials.add(writer.#partialFolder("entries", Math.floor(size / TILE_WIDTH)));
    if (width > 0)
      writer.#entries = (await tiles.entries(Math.floor(size / TILE_WIDTH), width)).map((e) => e.bytes);
    return writer;
  }

  get size(): number {
    return this.#range.size;
  }

  root(): Uint8Array {
    return this.#range.root();
  }

  /** Entries of the bundle being filled. */
  get pendingEntries(): readonly Uint8Array[] {
    return this.#entries;
  }

  /** Adds a leaf in memory; returns its index. */
  append(entry: Uint8Array): number {
    const index = this.#range.size;
    this.#entries.push(entry);
    this.#entriesChanged = true;
    if (this.#entries.length === TILE_WIDTH) {
      const tile = { level: "entries", index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH } as const;
      this.#full.push({ tile, bytes: encodeBundle(this.#entries) });
      this.#entries = [];
    }
    this.#range.append(leafHash(entry));
    return index;
  }

  #addHash(levelNumber: number, hash: Uint8Array): void {
    const level = this.#levels[levelNumber] ?? { index: 0, hashes: [], changed: false };
    this.#levels[levelNumber] = level;
    level.hashes.push(hash);
    level.changed = true;
    if (level.hashes.length < TILE_WIDTH) return;
    const tile = { level: levelNumber, index: level.index, width: TILE_WIDTH };
    this.#full.push({ tile, bytes: concatBytes(...level.hashes) });
    level.index += 1;
    level.hashes = [];
    level.changed = false;
  }

  /**
   * Writes and syncs everything appended since the last flush, files first and then their folders. Until the caller
   * commits the size, a crash leaves files that nothing refers to; `dropBeyond` removes them. `whole`: only bundles and
   * tiles that are full. `skipUnchanged`: not what is there already.
   */
  async flush(options: { readonly skipUnchanged?: boolean; readonly whole?: boolean } = {}): Promise<void> {
    const files = [...this.#full];
    this.#filled.push(...this.#full.map(({ tile }) => tile));
    this.#full = [];
    if (!options.whole) files.push(...this.#takePartials());
    await this.#put(files, options);
  }

  #takePartials(): TileFile[] {
    const files: TileFile[] = [];
    for (const [number, level] of this.#levels.entries()) {
      if (!level.changed || level.hashes.length === 0) continue;
      const tile = { level: number, index: level.index, width: level.hashes.length };
      files.push({ tile, bytes: concatBytes(...level.hashes) });
      level.changed = false;
    }
    const width = this.#entries.length;
    if (width > 0 && this.#entriesChanged) {
      this.#entriesChanged = false;
      const tile = { level: "entries", index: Math.floor(this.size / TILE_WIDTH), width } as const;
      files.push({ tile, bytes: encodeBundle(this.#entries) });
    }
    return files;
  }

  async #put(files: readonly TileFile[], options: { readonly skipUnchanged?: boolean }): Promise<void> {
    const folders = new Set<string>();
    const writes = files.map(async ({ tile, bytes }) => {
      const path = join(this.#folder, tilePath(tile));
      if (options.skipUnchanged) {
        const present = await this.#disk.readFile(path);
        if (present !== null && equalBytes(present, bytes)) return;
      }
      await this.#ensureFolder(dirname(path));
      if (tile.width < TILE_WIDTH) this.#partials.add(dirname(path));
      folders.add(dirname(path));
      await replaceFile(this.#disk, path, bytes, { syncFolder: false });
    });
    await settleAll(writes);
    await settleAll([...folders].map((folder) => this.#disk.syncFolder(folder)));
  }

  async #ensureFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    await makeFolder(this.#disk, path);
    if (this.#folders.size > 4096) this.#folders.clear();
    this.#folders.add(path);
  }

  #partialFolder(level: TileName["level"], index: number): string {
    return join(this.#folder, "tile", String(level), `${tileIndexPath(index)}.p`);
  }

  /** After the commit: partial tiles whose full tile is there may go (tlog-tiles, "Partial Tiles"). */
  async removeFilledPartials(): Promise<void> {
    const filled = this.#filled;
    this.#filled = [];
    for (const { level, index } of filled) {
      const folder = this.#partialFolder(level, index);
      this.#folders.delete(folder);
      if (this.#partials.delete(folder)) await this.#disk.remove(folder);
    }
  }
}

/** Removes what a crash left beyond the committed `size`, so that no later reader can mistake it for sealed. */
export async function dropBeyond(disk: Disk, folder: string, size: number): Promise<void> {
  const levels: (number | "entries")[] = ["entries"];
  for (let level = 0; level <= tileLevels(size) + 1; level++) levels.push(level);
  for (const level of levels) {
    const height = level === "entries" ? 0 : level;
    let index = Math.floor(size / TILE_WIDTH ** (height + 1));
    const committed = tileWidth(height, index, size);
    const partials = join(folder, "tile", String(level), `${tileIndexPath(index)}.p`);
    for (const name of await disk.list(partials))
      if (!(Number(name) <= committed)) await disk.remove(join(partials, name));
    for (; ; index++) {
      const full = join(folder, tilePath({ level, index, width: TILE_WIDTH }));
      const beyond = `${full}.p`;
      const last = index > Math.floor(size / TILE_WIDTH ** (height + 1));
      const present = (await disk.size(full)) !== null || (last && (await disk.list(beyond)).length > 0);
      await disk.remove(`${full}.new`);
      if (!present && last) break;
      await disk.remove(full);
      if (last) await disk.remove(beyond);
    }
  }
}
