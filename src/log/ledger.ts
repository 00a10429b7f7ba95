// The ledger: the one process that turns what writers wrote into leaves, tiles and signed checkpoints.
import type { Buffer } from "node:buffer";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DataFolder } from "../config/data-folder.ts";
import { base64, base64Bytes } from "../core/bytes.ts";
import { type Leaf, parseLeaf } from "../core/leaf.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import { sameKey } from "../core/verifier-key.ts";
import { CheckpointFile, readCheckpoint, requireSameRoot } from "./checkpoint-file.ts";
import { PackWriter } from "./content-pack.ts";
import { type Disk, makeFolder, NODE_DISK } from "./disk.ts";
import { LogError } from "./errors.ts";
import { ExchangeIndex, type IndexRow } from "./exchange-index.ts";
import { FolderLock } from "./folder-lock.ts";
import type { Keyring } from "./keyring.ts";
import { indexRows, LeafBatch } from "./leaf-batch.ts";
import { emitEvent, emitFrame, type LeafContext } from "./leaf-maker.ts";
import { rebuildLedgerState } from "./ledger-rebuild.ts";
import { type LedgerState, readLedgerState, type WriterPosition, writeLedgerState } from "./ledger-state.ts";
import { OpenExchanges } from "./open-exchanges.ts";
import { RecordCrew } from "./record-crew.ts";
import { sealInOrder } from "./seal-in-order.ts";
import { FrameSealer, type SealedFrame } from "./sealing.ts";
import { WRITER_NAME } from "./segment.ts";
import { TileReader } from "./tile-reader.ts";
import { dropBeyond, TreeWriter } from "./tree-writer.ts";
import { readTail, type TailEvent } from "./writer-tail.ts";

/** Bytes of segments that one step takes from all writers together, about. Bounds memory and the time of a step. */
const STEP_BYTES: number = 16 * 1024 * 1024;
/**
 * Pause of `run` between sealings. Each costs about ten syncs, for which answers that wait for the disk wait too: at 25 ms
 * the slowest hundredth of answers came 10 ms later.
 */
const INTERVAL_MS = 100;
const RETRY_MS = 1_000;
/** How often a writer with open exchanges and nothing new is asked whether it still lives. */
const LIVENESS_MS = 1_000;

export interface LedgerOptions {
  /** The data folder. */
  readonly folder: string;
  readonly keys: Keyring;
  /** Origin line and key name of checkpoints. Default: `adyton.local/<node>`. */
  readonly origin?: string | null;
  readonly clock?: () => number;
  readonly disk?: Disk;
  readonly stepBytes?: number;
  readonly intervalMs?: number;
  /** Threads that help when much waits to be sealed; one less than there are cores unless told. */
  readonly threads?: number;
  /** How long to wait for another ledger to end; 2 s unless told. */
  readonly lockTimeoutMs?: number;
  /** Told of each failed step (`run` tries again) and of damage found in segments. */
  readonly onError?: (error: LogError) => void;
}

/** What lives in memory between steps; dropped after any failure and loaded again from disk. */
interface Sealing {
  readonly state: LedgerState;
  readonly open: OpenExchanges;
  readonly tree: TreeWriter;
  readonly packs: PackWriter;
}

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #folder: DataFolder;
  readonly #disk: Disk;
  readonly #clock: () => number;
  readonly #lock: FolderLock;
  readonly #sealer: FrameSealer;
  readonly #crew: RecordCrew;
  readonly #writeAheadKey: Buffer;
  readonly #index: ExchangeIndex;
  readonly #checkpoints: CheckpointFile;
  readonly #askedMs: Map<string, number> = new Map();
  #sealing: Sealing | null = null;
  #size = 0;

  private constructor(options: LedgerOptions, folder: DataFolder, lock: FolderLock) {
    this.#options = options;
    this.#folder = folder;
    this.#disk = options.disk ?? NODE_DISK;
    this.#clock = options.clock ?? Date.now;
    this.#lock = lock;
    this.#sealer = new FrameSealer(options.keys);
    this.#crew = new RecordCrew({ threads: options.threads });
    this.#writeAheadKey = options.keys.writeAheadKey;
    this.#checkpoints = new CheckpointFile(this.#disk, folder);
    this.#index = ExchangeIndex.open(join(folder.ledger, "index.sqlite"));
  }

  /** Throws LogError: `log.locked`, `log.inconsistent`, `log.damaged`, `log.checkpoint-invalid`, `log.state-malformed`. */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const folder = new DataFolder(options.folder);
    const disk = options.disk ?? NODE_DISK;
    for (const path of [folder.ledger, folder.log, folder.content, folder.segments])
      await makeFolder(disk, path);
    const lock = FolderLock.acquire(join(folder.ledger, "lock.sqlite"), options.lockTimeoutMs);
    if (lock === null) throw new LogError("log.locked", `another ledger works on ${folder.root}`);
    const ledger = new Ledger(options, folder, lock);
    try {
      ledger.#sealing = await ledger.#load();
      return ledger;
    } catch (error) {
      ledger.close();
      throw error;
    }
  }

  get origin(): string {
    return this.#options.origin ?? this.#options.keys.origin;
  }

  /** Number of leaves committed, also while a step is at work. */
  get size(): number {
    return this.#size;
  }

  /**
   * Seals what the writers have written since the last step; `more`: a limit stopped it, there is work left. On an error
   * nothing is lost: the next step begins again from what is committed.
   */
  async step(): Promise<{ sealed: number; more: boolean }> {
    const sealing = this.#sealing ?? (await this.#load());
    this.#sealing = null; // set again only when everything below went well
    const batch = new LeafBatch({ keys: this.#options.keys, tree: sealing.tree, packs: sealing.packs });
    try {
      const writers = await this.#collect(sealing, batch);
      if (batch.count > 0 || writers.moved) await this.#commit(sealing, batch, writers.positions);
      this.#sealing = sealing;
      return { sealed: batch.count, more: writers.more };
    } finally {
      await batch.settle();
    }
  }

  /** Steps until `signal` aborts; a failing step is reported to `onError` and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = this.#options.intervalMs ?? INTERVAL_MS;
      try {
        if ((await this.step()).more) continue;
      } catch (cause) {
        const error =
          cause instanceof LogError ? cause : new LogError("log.write-failed", "could not seal", { cause });
        this.#options.onError?.(error);
        pauseMs = RETRY_MS;
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  /**
   * Publishes a checkpoint of this log again, with cosignatures that the caller has verified. `quorum`: enough of them.
   * Safe at any time, also while a step runs.
   */
  async addCosignatures(note: string, options: { quorum: boolean }): Promise<void> {
    await this.#checkpoints.addCosignatures(note, options);
  }

  close(): void {
    this.#sealing = null;
    this.#crew.close();
    this.#index.close();
    this.#lock.release();
  }

  /** Recovery and start are the same: what state.json says is sealed, everything beyond it is removed. */
  async #load(): Promise<Sealing> {
    const { keys } = this.#options;
    const { log, content, ledgerState, checkpoint } = this.#folder;
    const published = await readCheckpoint(this.#disk, checkpoint, keys.verifierKeys(this.origin));
    let state = await this.#readState(ledgerState);
    if (state === null || state.size < (published?.size ?? 0)) {
      state = await rebuildLedgerState({
        disk: this.#disk,
        folder: this.#folder,
        node: keys.node,
        origin: this.origin,
        published,
      });
      await writeLedgerState(this.#disk, ledgerState, state);
    }
    await dropBeyond(this.#disk, log, state.size);
    const tree = await TreeWriter.load(this.#disk, log, state.size);
    requireSameRoot(state.size, base64Bytes(state.root) ?? new Uint8Array(), tree.root());
    if (published !== null) await this.#requireExtends(published, state.size);
    const partial = tree.pendingEntries.map((bytes) => this.#leaf(bytes));
    const packs = await PackWriter.load(this.#disk, content, state.size, partial);
    const isCurrent = keys
      .currentKeys(this.origin)
      .every((current) => published?.verified.some(({ key }) => sameKey(key, current)) === true);
    if (published === null || published.size < state.size || !isCurrent)
      await this.#publish(state.size, tree.root());
    await this.#catchUpIndex(state.size);
    this.#size = state.size;
    return { state, open: OpenExchanges.from(state.open), tree, packs };
  }

  /** A damaged state is as good as none: it is derived again. */
  async #readState(path: string): Promise<LedgerState | null> {
    try {
      return await readLedgerState(this.#disk, path);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#options.onError?.(error);
      return null;
    }
  }

  #leaf(bytes: Uint8Array): Leaf {
    const leaf = parseLeaf(bytes);
    if (leaf === null)
      throw new LogError("log.damaged", "expected a leaf in the last entry bundle, got other bytes");
    return leaf;
  }

  /** Never sign what contradicts a checkpoint that was already given out. */
  async #requireExtends(published: { size: number; root: Uint8Array }, size: number): Promise<void> {
    const tiles = new TileReader(this.#disk, this.#folder.log);
    // A node that is complete at the published size is complete, and the same, in every larger tree.
    const root = await tiles.range({ start: 0, end: published.size }, size);
    requireSameRoot(published.size, published.root, root);
  }

  async #catchUpIndex(size: number): Promise<void> {
    this.#index.truncate(size);
    const tiles = new TileReader(this.#disk, this.#folder.log);
    for (let from = this.#index.size; from < size; ) {
      const bundle = Math.floor(from / TILE_WIDTH);
      const end = Math.min(size, (bundle + 1) * TILE_WIDTH);
      const entries = await tiles.entries(bundle, end - bundle * TILE_WIDTH);
      const rows: IndexRow[] = [];
      for (let leaf = from; leaf < end; leaf++) {
        const entry = entries[leaf - bundle * TILE_WIDTH];
        if (entry !== undefined) rows.push(...indexRows(this.#leaf(entry.bytes), leaf));
      }
      this.#index.add(rows, end);
      from = end;
    }
  }

  /** Turns the tails of all writers into leaves. */
  async #collect(
    sealing: Sealing,
    batch: LeafBatch,
  ): Promise<{ positions: Record<string, WriterPosition>; moved: boolean; more: boolean }> {
    const positions: Record<string, WriterPosition> = {};
    let moved = false;
    let more = false;
    let budget = this.#options.stepBytes ?? STEP_BYTES;
    const names = (await this.#disk.list(this.#folder.segments)).filter((name) => WRITER_NAME.test(name));
    const start = names.length === 0 ? 0 : Math.floor(sealing.state.size % names.length); // nobody is always last
    for (const writer of [...names.slice(start), ...names.slice(0, start)]) {
      const former = sealing.state.writers[writer];
      const gone = this.#isGone(writer, sealing);
      const read = await readTail(this.#disk, this.#folder.segments, writer, {
        position: former,
        writeAheadKey: this.#writeAheadKey,
        limitBytes: Math.max(budget, 1),
      });
      const context: LeafContext = {
        node: this.#options.keys.node,
        writer,
        open: sealing.open,
        nextIndex: () => sealing.tree.size,
        emit: (leaf, frame) => batch.add(leaf, frame),
        nowMs: this.#clock(),
      };
      budget -= await this.#emit(read.events, context);
      // The lock was free before the tail was read to its end, so nothing can come from that incarnation any more.
      if (gone && !read.more) emitEvent({ type: "final", incarnation: read.position.incarnation }, context);
      positions[writer] = read.position;
      moved ||=
        former?.segment !== read.position.segment || former?.incarnation !== read.position.incarnation;
      more ||= read.more || budget <= 0;
      if (budget <= 0) break;
    }
    return { positions, moved, more };
  }

  /** Seals the events of a writer's tail and makes their leaves, in order. Returns the bytes of content. */
  async #emit(events: readonly TailEvent[], context: LeafContext): Promise<number> {
    const frames = events.flatMap((event) => (event.type === "frame" ? [event.frame] : []));
    const batches = sealInOrder(frames, { sealer: this.#sealer, crew: this.#crew });
    let sealed: readonly SealedFrame[] = [];
    let at = 0;
    for (const event of events) {
      if (event.type !== "frame") {
        this.#report(event);
        emitEvent(event, context);
        continue;
      }
      if (at === sealed.length) {
        sealed = (await batches.next()).value ?? [];
        at = 0;
      }
      const frame = sealed[at++];
      if (frame === undefined) throw new TypeError(`expected ${frames.length} sealed frames, got fewer`);
      emitFrame(frame, event.incarnation, context);
    }
    return frames.reduce((sum, { plain }) => sum + plain.length, 0);
  }

  #report(event: TailEvent): void {
    if (event.type !== "gap" || event.declared) return;
    const what = `${event.count} records from ${event.from} are missing in ${event.path} at ${event.offset}`;
    this.#options.onError?.(new LogError("log.damaged", what));
  }

  /** True when no process holds the writer's lock although some of its exchanges are open. */
  #isGone(writer: string, sealing: Sealing): boolean {
    const incarnation = sealing.state.writers[writer]?.incarnation;
    if (incarnation === undefined || !sealing.open.has(writer, incarnation)) return false;
    const now = this.#clock();
    const asked = this.#askedMs.get(writer) ?? Number.NEGATIVE_INFINITY;
    if (now >= asked && now - asked < LIVENESS_MS) return false;
    this.#askedMs.set(writer, now);
    return FolderLock.isFree(join(this.#folder.segments, writer, "lock.sqlite"));
  }

  /**
   * Content, bundles and tiles, then state.json: the commit point. A crash before it leaves files that nothing
   * refers to and that the next load removes; a crash after it leaves a checkpoint that lags, which the load renews.
   */
  async #commit(
    { state, tree, open }: Sealing,
    batch: LeafBatch,
    positions: Record<string, WriterPosition>,
  ): Promise<void> {
    await batch.flush();
    const root = tree.root();
    Object.assign(state, { size: tree.size, root: base64(root), origin: this.origin, open: open.toRows() });
    Object.assign(state.writers, positions);
    await writeLedgerState(this.#disk, this.#folder.ledgerState, state);
    this.#size = tree.size;
    if (batch.count === 0) return;
    await this.#publish(tree.size, root);
    this.#index.add(batch.rows, tree.size);
    await tree.removeFilledPartials();
  }

  async #publish(size: number, root: Uint8Array): Promise<void> {
    const { origin } = this;
    const signers = this.#options.keys.signers(origin);
    await this.#checkpoints.publish({ origin, size, root }, { signers, nowMs: this.#clock() });
  }
}
