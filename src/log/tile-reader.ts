// Reads tiles and entry bundles from disk, and answers with hashes of any range of the tree.
import { join } from "node:path";
import { foldRight, HASH_BYTES, type LeafRange, type NodePosition, perfectNodes } from "../core/merkle.ts";
import {
  type BundleEntry,
  decodeBundle,
  nodeFromTile,
  TILE_WIDTH,
  type TileName,
  tileOfNode,
  tilePath,
  tileWidth,
} from "../core/tiles.ts";
import type { Disk } from "./disk.ts";
import { LogError } from "./errors.ts";

/** Tiles kept in memory: 8 KiB each, bundles some 100 KiB. */
const MAX_CACHED_TILES = 64;
/** Hashes inside tiles that were derived and are kept: proofs of neighbours share nearly all of theirs. */
const MAX_CACHED_NODES = 8_192;

export class TileReader {
  readonly #disk: Pick<Disk, "readFile">;
  readonly #folder: string;
  readonly #cache: Map<string, Buffer> = new Map();
  readonly #nodes: Map<string, Uint8Array> = new Map();

  /** `folder`: the log's prefix, which holds `checkpoint` and `tile/`. */
  constructor(disk: Pick<Disk, "readFile">, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** Bytes of a tile or bundle; for a partial one the full one serves too. Null when neither is there. */
  async read(tile: TileName): Promise<{ path: string; bytes: Buffer } | null> {
    for (const width of tile.width === TILE_WIDTH ? [TILE_WIDTH] : [tile.width, TILE_WIDTH]) {
      const path = join(this.#folder, tilePath({ ...tile, width }));
      const known = this.#cache.get(path);
      if (known !== undefined) return { path, bytes: known };
      const bytes = await this.#disk.readFile(path);
      if (bytes === null) continue;
      const oldest = this.#cache.keys().next();
      if (this.#cache.size >= MAX_CACHED_TILES && !oldest.done) this.#cache.delete(oldest.value);
      this.#cache.set(path, bytes);
      return { path, bytes };
    }
    return null;
  }

  /** The first `width` entries of a bundle. Throws `log.damaged` when there are fewer. */
  async entries(index: number, width: number): Promise<BundleEntry[]> {
    const bundle = await this.read({ level: "entries", index, width });
    const entries = bundle === null ? null : decodeBundle(bundle.bytes);
    if (entries === null || entries.length < width)
      throw new LogError(
        "log.damaged",
        `expected ${width} entries in bundle ${index}, got ${entries?.length ?? "none"}`,
      );
    return entries.slice(0, width);
  }

  /** Hashes of a tile in a tree of `size`. Throws `log.damaged` when it is missing or short. */
  async hashes(level: number, index: number, size: number): Promise<Buffer> {
    const width = tileWidth(level, index, size);
    const tile = await this.read({ level, index, width });
    if (tile === null || tile.bytes.length < width * HASH_BYTES)
      throw new LogError("log.damaged", `expected ${width} hashes in tile ${level}/${index}, got fewer`);
    return tile.bytes.subarray(0, width * HASH_BYTES);
  }

  /** A perfect subtree's hash, which is the same in every larger tree. */
  async node(position: NodePosition, size: number): Promise<Uint8Array> {
    const name = `${position.height}/${position.index}`;
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const { level, index } = tileOfNode(position);
    const hash = nodeFromTile(position, await this.hashes(level, index, size));
    if (hash === null) throw new LogError("log.damaged", `expected node ${name} in its tile`);
    if (this.#nodes.size >= MAX_CACHED_NODES) this.#nodes.clear();
    this.#nodes.set(name, hash);
    return hash;
  }

  /** Merkle tree hash of a range that a proof for `size` names. */
  async range(range: LeafRange, size: number): Promise<Uint8Array> {
    const hashes: Uint8Array[] = [];
    for (const position of perfectNodes(range)) hashes.push(await this.node(position, size));
    return foldRight(hashes);
  }

  /** The right edge of the tree: what a CompactRange goes on from. */
  async edge(size: number): Promise<Uint8Array[]> {
    const hashes: Uint8Array[] = [];
    for (const position of perfectNodes({ start: 0, end: size }))
      hashes.push(await this.node(position, size));
    return hashes;
  }
}
