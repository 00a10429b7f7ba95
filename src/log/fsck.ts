// Checks the sealed log from its files alone: every leaf, tile, root, signature, ciphertext and commitment.
import { join } from "node:path";
import { DataFolder } from "../config/data-folder.ts";
import { base64, equalBytes } from "../core/bytes.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { type Leaf, parseLeaf } from "../core/leaf.ts";
import { leafHash } from "../core/merkle.ts";
import { parseNote } from "../core/note.ts";
import { decodeBundle, TILE_WIDTH, tilePath } from "../core/tiles.ts";
import { parseTreeHead } from "../core/tree-head.ts";
import { describeKey, sameKey, type VerifierKey } from "../core/verifier-key.ts";
import { readCheckpoint } from "./checkpoint-file.ts";
import { type Disk, NODE_DISK } from "./disk.ts";
import { LogError } from "./errors.ts";
import { ContentCheck } from "./fsck-content.ts";
import { OrderCheck } from "./fsck-order.ts";
import { PackChecks } from "./fsck-packs.ts";
import { type Complain, Findings, type FsckReport } from "./fsck-report.ts";
import { type FsckState, readFsckState, SAVE_EVERY_LEAVES, writeFsckState } from "./fsck-resume.ts";
import { checkTimestamps } from "./fsck-timestamps.ts";
import { type EarlierHead, TreeCheck } from "./fsck-tree.ts";
import type { Keyring } from "./keyring.ts";
import { readLedgerState } from "./ledger-state.ts";
import type { TimestampAuthority } from "./timestamp-client.ts";

/** Leaves of a log from which on the check takes longer than starting threads that help with it. */
const HELP_FROM_LEAVES = 16_384;

export interface FsckOptions {
  /** The data folder. */
  readonly folder: string;
  /** With them the signature is verified and content decrypted to check its commitments. */
  readonly keys?: Keyring;
  readonly origin?: string | null;
  /** Keys of witnesses whose cosignatures are verified too. */
  readonly witnesses?: readonly VerifierKey[];
  /** Whose timestamps are verified. */
  readonly authorities?: readonly TimestampAuthority[];
  readonly disk?: Disk;
  readonly onProgress?: (leaves: number, size: number) => void;
  /** False: tree and leaves only. */
  readonly content?: boolean;
  /** Goes on where an interrupted check of the same kind stood. Long checks remember where they are either way. */
  readonly resume?: boolean;
  /** How often they do, in leaves: a multiple of 256. */
  readonly saveEveryLeaves?: number;
  /** Threads that help (default: none in a short log, else one less than there are cores). */
  readonly threads?: number;
}

async function openHead(
  options: FsckOptions,
  disk: Disk,
  { path, required }: { path: string; required: readonly VerifierKey[] },
  complain: Complain,
): Promise<Pick<Checkpoint, "origin" | "size" | "root"> | null> {
  const whole = { file: path, offset: null, index: null };
  const bytes = await disk.readFile(path);
  if (bytes === null) return null;
  const note = parseNote(bytes);
  const head = "fault" in note ? null : parseTreeHead(note.text);
  if (head === null) {
    complain({ ...whole, code: "checkpoint", message: "expected a signed checkpoint, got something else" });
    return null;
  }
  if (options.keys === undefined) return head;
  try {
    const own = options.keys.verifierKeys(options.origin ?? undefined);
    const checkpoint = await readCheckpoint(disk, path, [...own, ...(options.witnesses ?? [])]);
    const missing = required.find((key) => !checkpoint?.verified.some((one) => sameKey(one.key, key)));
    if (missing !== undefined) {
      const message = `expected a signature by ${describeKey(missing)}, got none`;
      complain({ ...whole, code: "signature", message });
    }
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    complain({ ...whole, code: "signature", message: error.message });
  }
  return head;
}

/** The ledger's own position must agree with the tree that was derived. */
async function checkState(disk: Disk, path: string, tree: TreeCheck, complain: Complain): Promise<void> {
  const whole = { code: "state", file: path, offset: null, index: null } as const;
  try {
    const state = await readLedgerState(disk, path);
    if (state === null) return; // it is rebuilt from the leaves
    if (state.size < tree.size)
      complain({ ...whole, message: `expected at least ${tree.size} leaves, got ${state.size}` });
    if (state.size === tree.size && state.root !== base64(tree.root()))
      complain({ ...whole, message: `expected root ${base64(tree.root())}, got ${state.root}` });
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    complain({ ...whole, message: error.message });
  }
}

interface Place {
  readonly disk: Disk;
  readonly folder: DataFolder;
  readonly findings: Findings;
}

/** What was signed, cosigned and stamped. */
interface Heads {
  readonly head: Pick<Checkpoint, "origin" | "size" | "root"> | null;
  readonly earlier: readonly EarlierHead[];
  readonly stamps: number;
}

async function openHeads(
  options: FsckOptions,
  { disk, folder }: { disk: Disk; folder: DataFolder },
  complain: Complain,
): Promise<Heads> {
  // The ledger signs its newest checkpoint with every key it has; one that is published with a quorum may be older.
  const required = options.keys?.currentKeys(options.origin ?? undefined) ?? [];
  const head = await openHead(options, disk, { path: folder.checkpoint, required }, complain);
  const file = folder.cosignedCheckpoint;
  const cosigned = await openHead(options, disk, { path: file, required: [] }, complain);
  const earlier: EarlierHead[] = [];
  if (cosigned !== null) earlier.push({ ...cosigned, file, vouched: "witnesses cosigned" });
  const keys = options.keys?.verifierKeys(options.origin ?? undefined) ?? [];
  const { authorities = [] } = options;
  const stamped = await checkTimestamps({ disk, folder: folder.timestamps, keys, authorities, complain });
  return { head, earlier: [...earlier, ...stamped.heads], stamps: stamped.stamps };
}

/** The checks that go through the log together, from its start or from where an interrupted run stood. */
interface Checks {
  readonly tree: TreeCheck;
  readonly order: OrderCheck;
  readonly content: ContentCheck;
  readonly packs: PackChecks;
}

function makeChecks(
  options: FsckOptions,
  { disk, folder }: { disk: Disk; folder: DataFolder },
  { head, earlier }: Heads,
  { from, findings }: { from: FsckState | null; findings: Findings },
): Checks {
  const tree = new TreeCheck({
    disk,
    folder: folder.log,
    size: head?.size ?? 0,
    root: head?.root ?? null,
    earlier,
    complain: findings.hold,
    ...(from === null ? {} : { from: { leaves: from.leaves, state: from.tree } }),
  });
  const keys = options.keys ?? null;
  const contentFrom = from?.content ?? null;
  const { complain, hold } = findings;
  const content = new ContentCheck({ disk, folder: folder.content, keys, complain, from: contentFrom });
  const isLong = (head?.size ?? 0) >= HELP_FROM_LEAVES;
  const packs = new PackChecks(content, { threads: options.threads ?? (isLong ? undefined : 0) });
  return { tree, order: new OrderCheck(hold, from?.order), content, packs };
}

/**
 * Checks all that the newest checkpoint covers, a bundle at a time. Never stops at the first problem, and never throws for
 * damage: only for a disk that can't be read.
 */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  const { disk = NODE_DISK, saveEveryLeaves = SAVE_EVERY_LEAVES } = options;
  const folder = new DataFolder(options.folder);
  const findings = new Findings();
  const place = { disk, folder };
  const heads = await openHeads(options, place, findings.complain);
  const { head } = heads;
  const size = head?.size ?? 0;
  const depth = options.content === false ? "leaves" : options.keys === undefined ? "digests" : "content";
  const question = { origin: head?.origin ?? "", depth, size } as const;
  const from = options.resume === true ? await readFsckState(disk, folder.fsckState, question) : null;
  // What the heads say is asked anew each time; what was found on the way is remembered.
  const before = { kept: findings.problems.length, count: findings.count };
  findings.add(from?.problems ?? [], from?.problemCount ?? 0);
  const checks = makeChecks(options, place, heads, { from, findings });
  const { tree, order, content } = checks;
  const save = async (leaves: number): Promise<void> => {
    const parts = { tree: tree.save(), order: order.save(), content: content.save() };
    const problems = findings.problems.slice(before.kept);
    const found = { problems, problemCount: findings.count - before.count };
    const { origin } = question;
    await remember(disk, folder.fsckState, { v: 1, origin, depth, leaves, ...parts, ...found });
  };
  await checkAll(options, { ...place, findings }, checks, { from: from?.leaves ?? 0, size, save });
  if (head !== null && !equalBytes(tree.root(), head.root)) {
    const message = `expected root ${base64(tree.root())} at size ${size}, got ${base64(head.root)}`;
    findings.complain({ code: "root", file: folder.checkpoint, offset: null, index: null, message });
  }
  await checkState(disk, folder.ledgerState, tree, findings.complain);
  if (size > saveEveryLeaves) await disk.remove(folder.fsckState).catch(() => {});
  return {
    resumedFrom: from?.leaves ?? 0,
    ok: findings.count === 0,
    size,
    root: base64(tree.root()),
    origin: head?.origin ?? "",
    signatureChecked: head !== null && options.keys !== undefined,
    checked: { leaves: tree.size, tiles: tree.tiles, timestamps: heads.stamps, ...content.counts },
    gaps: order.gaps,
    open: order.openCount,
    problemCount: findings.count,
    problems: findings.problems,
  };
}

/** Goes through the log from leaf `from` on and saves now and then. */
async function checkAll(
  options: FsckOptions,
  place: Place,
  checks: Checks,
  { from, size, save }: { from: number; size: number; save: (leaves: number) => Promise<void> },
): Promise<void> {
  const { saveEveryLeaves = SAVE_EVERY_LEAVES } = options;
  const { tree, content, packs } = checks;
  try {
    let coming = readEntries(place, from / TILE_WIDTH, size);
    for (let bundle = from / TILE_WIDTH; bundle * TILE_WIDTH < size; bundle++) {
      const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
      const read = await coming;
      coming = readEntries(place, bundle + 1, size); // while this one is checked
      coming.catch(() => {}); // thrown when its turn comes
      await checkOne(options, place, checks, { bundle, width, read });
      const leaves = bundle * TILE_WIDTH + width;
      options.onProgress?.(leaves, size);
      if (leaves % saveEveryLeaves > 0 || leaves === size) continue;
      await packs.drain();
      await save(leaves);
    }
    await packs.drain();
  } finally {
    packs.close();
  }
  content.finish();
  await tree.finish();
  place.findings.release();
}

async function checkOne(
  options: FsckOptions,
  { findings }: Place,
  { tree, order, packs }: Checks,
  { bundle, width, read }: { bundle: number; width: number; read: ReadEntries },
): Promise<void> {
  const leaves = await checkBundle({ tree, complain: findings.hold }, { bundle, width, read });
  for (const { leaf, file, offset, index } of leaves)
    if (leaf !== null) order.leaf(leaf, { file, offset, index });
  if (findings.holdsAny) {
    await packs.drain();
    findings.release();
  }
  if (options.content === false) return;
  await packs.take(
    bundle,
    leaves.map(({ leaf }) => leaf),
  );
}

/** A folder that can't be written must not keep its log from being checked. */
async function remember(disk: Disk, path: string, state: FsckState): Promise<void> {
  await writeFsckState(disk, path, state).catch(() => {});
}

/** The file of a bundle as it was found; null: there is none. */
interface ReadEntries {
  readonly file: string;
  /** It must hold the bundle's entries and no more. */
  readonly isExact: boolean;
  readonly bytes: Buffer | null;
}

/** The entries of a bundle as wide as a tree of `size` leaves has it; of a bundle beyond that, nothing. */
async function readEntries({ disk, folder }: Place, bundle: number, size: number): Promise<ReadEntries> {
  const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
  const path = (wide: number): string =>
    join(folder.log, tilePath({ level: "entries", index: bundle, width: wide }));
  if (width <= 0) return { file: path(TILE_WIDTH), isExact: false, bytes: null };
  const bytes = await disk.readFile(path(width));
  if (bytes !== null || width === TILE_WIDTH) return { file: path(width), isExact: true, bytes };
  return { file: path(TILE_WIDTH), isExact: false, bytes: await disk.readFile(path(TILE_WIDTH)) };
}

interface CheckedLeaf {
  readonly leaf: Leaf | null;
  readonly file: string;
  readonly offset: number;
  readonly index: number;
}

/** Holds a bundle's entries against the tiles; an entry that can't be read is a null leaf. */
async function checkBundle(
  { tree, complain }: { tree: TreeCheck; complain: Complain },
  { bundle, width, read }: { bundle: number; width: number; read: ReadEntries },
): Promise<CheckedLeaf[]> {
  const { file, bytes } = read;
  const entries = decodeBundle(bytes ?? Buffer.alloc(0));
  if (entries === null || entries.length < width || (read.isExact && entries.length !== width)) {
    const got = bytes === null ? "no file" : `${entries?.length ?? "no whole"} entries`;
    complain({
      code: "bundle",
      file,
      offset: 0,
      index: bundle * TILE_WIDTH,
      message: `expected ${width} entries, got ${got}`,
    });
  }
  const leaves: CheckedLeaf[] = [];
  for (let i = 0; i < width; i++) {
    const entry = entries?.[i];
    const index = bundle * TILE_WIDTH + i;
    const where = { file, offset: entry?.offset ?? 0, index };
    const waiting = tree.append(entry === undefined ? null : leafHash(entry.bytes), where);
    if (waiting !== null) await waiting;
    const leaf = entry === undefined ? null : parseLeaf(entry.bytes);
    if (entry !== undefined && leaf === null)
      complain({ code: "leaf", ...where, message: "expected a canonical leaf, got other bytes" });
    leaves.push({ leaf, ...where });
  }
  return leaves;
}
