// Recovers a lost ledger/state.json from the leaves: every one of them says which writer's frame it is.
import { join } from "node:path";
import type { DataFolder } from "../config/data-folder.ts";
import { base64, base64url } from "../core/bytes.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { type Leaf, parseLeaf } from "../core/leaf.ts";
import { sha256 } from "../core/sha256.ts";
import { decodeBundle, TILE_WIDTH, tileIndexPath } from "../core/tiles.ts";
import { requireSameRoot } from "./checkpoint-file.ts";
import { packedBytes, packPath, readPackRecord } from "./content-pack.ts";
import type { Disk } from "./disk.ts";
import { LogError } from "./errors.ts";
import type { LedgerState } from "./ledger-state.ts";
import { OpenExchanges } from "./open-exchanges.ts";
import { TileReader } from "./tile-reader.ts";
import { TreeWriter } from "./tree-writer.ts";

/** Bundles derived between two flushes: bounds memory. */
const FLUSH_BUNDLES = 64;

interface RebuildOptions {
  readonly disk: Disk;
  readonly folder: DataFolder;
  readonly node: string;
  readonly origin: string;
  /** The checkpoint on disk: the rebuilt log must contain all that it covers. */
  readonly published: Checkpoint | null;
}

/** Entries of a bundle: the full one, or the longest partial one. */
async function longestBundle(options: RebuildOptions, index: number): Promise<Uint8Array[]> {
  const { disk, folder } = options;
  const path = join(folder.tiles, "entries", tileIndexPath(index));
  const partials = (await disk.list(`${path}.p`))
    .map(Number)
    .filter((width) => width > 0 && width < TILE_WIDTH);
  const widest = partials.sort((a, b) => b - a)[0];
  const bytes =
    (await disk.readFile(path)) ??
    (widest === undefined ? null : await disk.readFile(join(`${path}.p`, String(widest))));
  return (bytes === null ? [] : (decodeBundle(bytes) ?? [])).map((entry) => entry.bytes);
}

/** How many leaves of a bundle have their content in the pack: leaves beyond the checkpoint count only with it. */
async function withContent(options: RebuildOptions, index: number, leaves: readonly Leaf[]): Promise<number> {
  const covered = (options.published?.size ?? 0) - index * TILE_WIDTH;
  if (covered >= leaves.length) return leaves.length;
  const pack = (await options.disk.readFile(packPath(options.folder.content, index))) ?? Buffer.alloc(0);
  let at = 0;
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.bytes !== undefined && i >= covered) {
      const record = readPackRecord(pack, at, leaf.bytes);
      if (record === null) return i;
      if (!record.erased && base64url(sha256(record.sealed)) !== leaf.digest) return i;
    }
    at += packedBytes(leaf);
  }
  return leaves.length;
}

function track(state: LedgerState, open: OpenExchanges, leaf: Leaf, index: number): void {
  const { writer, incarnation } = leaf;
  if (leaf.exchange !== undefined) {
    if (leaf.kind === "open")
      open.add(writer, incarnation, { exchange: leaf.exchange, leaf: index, sequence: leaf.seq });
    else open.take(writer, incarnation, leaf.exchange);
  }
  if (leaf.kind === "interrupted") return;
  const position = state.writers[writer];
  const sequence = leaf.seq + (leaf.gap ?? 1);
  if (position === undefined || incarnation >= position.incarnation)
    state.writers[writer] = { incarnation, sequence, segment: null, offset: 0 };
}

/** Derives the tree again from the entry bundles, and from the leaves the state. Throws `log.inconsistent`. */
export async function rebuildLedgerState(options: RebuildOptions): Promise<LedgerState> {
  const { disk, folder, published } = options;
  const tree = await TreeWriter.load(disk, folder.log, 0);
  const open = new OpenExchanges();
  const state: LedgerState = {
    v: 1,
    node: options.node,
    origin: options.origin,
    size: 0,
    root: "",
    writers: {},
    open: [],
  };
  for (let index = 0, width = TILE_WIDTH; width === TILE_WIDTH; index++) {
    const entries = await longestBundle(options, index);
    const leaves: Leaf[] = [];
    for (const entry of entries) {
      const leaf = parseLeaf(entry);
      if (leaf === null) break;
      leaves.push(leaf);
    }
    width = await withContent(options, index, leaves);
    for (const [i, leaf] of leaves.slice(0, width).entries()) {
      tree.append(entries[i] ?? new Uint8Array());
      track(state, open, leaf, index * TILE_WIDTH + i);
    }
    if (index % FLUSH_BUNDLES === FLUSH_BUNDLES - 1) await tree.flush({ skipUnchanged: true });
  }
  await tree.flush({ skipUnchanged: true });
  const size = published?.size ?? 0;
  if (tree.size < size)
    throw new LogError(
      "log.inconsistent",
      `expected the ${size} leaves of the signed checkpoint, got ${tree.size}`,
    );
  if (published !== null)
    requireSameRoot(
      size,
      published.root,
      await new TileReader(disk, folder.log).range({ start: 0, end: size }, tree.size),
    );
  return { ...state, size: tree.size, root: base64(tree.root()), open: open.toRows() };
}
