// C2SP tlog-tiles: where a hash or an entry lies, and how entry bundles are written. No disk here.
import { concatBytes } from "./bytes.ts";
import { HASH_BYTES, type NodePosition, nodeHash } from "./merkle.ts";

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
/** Length prefix of an entry is a uint16. */
export const MAX_ENTRY_BYTES = 65_535;

/** `level` "entries" is an entry bundle. `width` 256 is a full tile. */
export interface TileName {
  readonly level: number | "entries";
  readonly index: number;
  readonly width: number;
}

/** `x001/x234/067` for 1234067. */
export function tileIndexPath(index: number): string {
  let path = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  return path;
}

/** Path below the log's prefix, such as `tile/0/x001/067.p/12`. */
export function tilePath(tile: TileName): string {
  const whole = `tile/${tile.level}/${tileIndexPath(tile.index)}`;
  return tile.width === TILE_WIDTH ? whole : `${whole}.p/${tile.width}`;
}

/** Width of tile `index` at `level` in a tree of `size` leaves: 0 (absent) to 256 (full). */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Levels of hash tiles that a tree of `size` leaves has. */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / TILE_WIDTH)) levels += 1;
  return levels;
}

/** The tile that holds a perfect subtree, and where its hashes lie in it. */
export function tileOfNode(node: NodePosition): {
  level: number;
  index: number;
  first: number;
  count: number;
} {
  const level = Math.floor(node.height / TILE_HEIGHT);
  const count = 2 ** (node.height % TILE_HEIGHT);
  const start = node.index * count;
  return { level, index: Math.floor(start / TILE_WIDTH), first: start % TILE_WIDTH, count };
}

/** Hash of a perfect subtree from the bytes of its tile; null when the tile is too short. */
export function nodeFromTile(node: NodePosition, tile: Uint8Array): Uint8Array | null {
  const { first, count } = tileOfNode(node);
  if (tile.length < (first + count) * HASH_BYTES) return null;
  let row: Uint8Array[] = [];
  for (let i = first; i < first + count; i++) row.push(tile.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) {
      const [left, right] = [row[i], row[i + 1]];
      if (left !== undefined && right !== undefined) above.push(nodeHash(left, right));
    }
    row = above;
  }
  return row[0] ?? null;
}

/** True for a subtree whose hash is written in a tile (level = height / 8). */
export function isTileNode(position: NodePosition): boolean {
  return position.height % TILE_HEIGHT === 0;
}

/** Big-endian uint16 length before each entry. Throws RangeError on an entry over 65,535 bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES)
      throw new RangeError(`expected an entry of at most ${MAX_ENTRY_BYTES} bytes, got ${entry.length}`);
    parts.push(Uint8Array.of(entry.length >> 8, entry.length & 255), entry);
  }
  return concatBytes(...parts);
}

/** An entry and the offset of its bytes in the bundle. */
export interface BundleEntry {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Entries of a bundle, at most 256; null where the bytes don't divide into whole entries. */
export function decodeBundle(bundle: Uint8Array): BundleEntry[] | null {
  const entries: BundleEntry[] = [];
  let offset = 0;
  while (offset < bundle.length) {
    const [high, low] = [bundle[offset], bundle[offset + 1]];
    if (high === undefined || low === undefined || entries.length === TILE_WIDTH) return null;
    const length = high * 256 + low;
    const bytes = bundle.subarray(offset + 2, offset + 2 + length);
    if (bytes.length !== length) return null;
    entries.push({ offset: offset + 2, bytes });
    offset += 2 + length;
  }
  return entries;
}
