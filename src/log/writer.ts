// Appends records to a write-ahead segment and says when each is durable. The only writer of its folder.
//
// Records are kept under the segment's key until the ledger seals each under a key of its own, with its commitments: a
// request pays for one copy and its share of one encryption.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DataFolder } from "../config/data-folder.ts";
import { MAX_NAME_BYTES } from "../core/leaf.ts";
import { FIELDS, type RecordDraft } from "../core/record.ts";
import { type Disk, makeFolder, NODE_DISK } from "./disk.ts";
import { diskError, LogError } from "./errors.ts";
import { FolderLock } from "./folder-lock.ts";
import { frameBytes, MAX_FRAME_BYTES, writeFrameHead } from "./frame.ts";
import { type Filling, FrameQueue, type Settled } from "./frame-queue.ts";
import { GiveUp } from "./give-up.ts";
import type { Keyring } from "./keyring.ts";
import { RandomPool } from "./random-pool.ts";
import { plainBytes, writePlain } from "./sealing.ts";
import { SEGMENT_BYTES, WRITER_NAME } from "./segment.ts";
import { type Recovery, SegmentWriter } from "./segment-writer.ts";

/** How long after a disk failure the writer tries by itself to go on in a new segment. */
const RECOVER_EVERY_MS = 1_000;

/**
 * A sync costs the processor about as much as ten records (a wake-up of another thread, two commands to the disk). So
 * after a flush of more than FEW_RECORDS, when the writer is busy, the next one waits while each turn of the event loop
 * still brings records, until the oldest has waited GATHER_MS. A writer with little to do syncs at once.
 */
const FEW_RECORDS = 4;
const GATHER_MS = 2;

/** Last millisecond that ISO 8601 writes with a four-digit year. */
const MAX_TIME_MS = 253_402_300_799_999;

export interface LogWriterOptions {
  /** The data folder. */
  readonly folder: string;
  /** Lower-case letters, digits and hyphens: `gateway-0`, `api`, `import`. */
  readonly writer: string;
  readonly keys: Keyring;
  /** Told of every disk failure, once, before the pending promises reject. */
  readonly onFailure?: (error: LogError) => void;
  /** Length of a segment file. Small ones suit processes that write little. */
  readonly segmentBytes?: number;
  readonly disk?: Disk;
  readonly clock?: () => number;
  /** Milliseconds that never go back: tells how long a record has waited for its flush. */
  readonly stopwatch?: () => number;
  /** 0: only `recover()` recovers. */
  readonly recoverEveryMs?: number;
}

/** What `append` gives back at once. `sequence` is -1 where the record was refused (`durable` says why). */
export interface Appended {
  readonly sequence: number;
  /** Resolves when the record is on disk; rejects with LogError. Records of one flush share it. */
  readonly durable: Promise<void>;
}

function refused(error: LogError): Appended {
  const durable = Promise.reject(error);
  durable.catch(() => {}); // who ignores a refusal asked for it
  return { sequence: -1, durable };
}

export class LogWriter {
  readonly name: string;
  readonly incarnation: number;
  /** What the start found at the end of the former incarnation; null: it had ended cleanly, or there was none. */
  readonly recovery: Recovery | null;
  readonly #lock: FolderLock;
  readonly #segments: SegmentWriter;
  readonly #onFailure: ((error: LogError) => void) | undefined;
  readonly #recoverEveryMs: number;
  readonly #queue: FrameQueue;
  readonly #random: RandomPool = new RandomPool();
  #sequence = 0;
  /** Records of the last flush: how busy it is. */
  #lastRecords = 0;
  #state: "healthy" | "failed" | "closed" = "healthy";
  #flushing: Promise<void> | null = null;
  #recoverTimer: NodeJS.Timeout | null = null;
  readonly #giveUp: GiveUp;

  private constructor(options: LogWriterOptions, lock: FolderLock, segments: SegmentWriter) {
    this.name = options.writer;
    this.incarnation = segments.incarnation;
    this.recovery = segments.recovery;
    this.#lock = lock;
    this.#segments = segments;
    this.#onFailure = options.onFailure;
    this.#queue = new FrameQueue(options.stopwatch ?? (() => performance.now()));
    this.#recoverEveryMs = options.recoverEveryMs ?? RECOVER_EVERY_MS;
    const folder = join(new DataFolder(options.folder).segments, options.writer);
    this.#giveUp = new GiveUp({ folder, segments, leave: () => this.#leave() });
  }

  /** Throws LogError: `log.name`, `log.locked` when another process has this name, `log.disk-full`, `log.write-failed`. */
  static async open(options: LogWriterOptions): Promise<LogWriter> {
    if (!WRITER_NAME.test(options.writer))
      throw new LogError(
        "log.name",
        `expected a writer name like gateway-0, got ${JSON.stringify(options.writer)}`,
      );
    const data = new DataFolder(options.folder);
    const folder = join(data.segments, options.writer);
    const disk = options.disk ?? NODE_DISK;
    let lock: FolderLock | null = null;
    try {
      await makeFolder(disk, folder);
      lock = FolderLock.acquire(join(folder, "lock.sqlite"));
      if (lock === null)
        throw new LogError("log.locked", `another process writes as ${options.writer} in ${folder}`);
      const segments = await SegmentWriter.open({
        disk,
        folder,
        writer: options.writer,
        writeAheadKey: options.keys.writeAheadKey,
        ledgerState: data.ledgerState,
        segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
        startMs: (options.clock ?? Date.now)(),
      });
      return new LogWriter(options, lock, segments);
    } catch (error) {
      lock?.release();
      throw error instanceof LogError ? error : diskError(`could not open ${folder}`, error);
    }
  }

  /** False from a disk failure until recovery; `append` refuses meanwhile. */
  get healthy(): boolean {
    return this.#state === "healthy";
  }

  /** Bytes of records that wait for the disk. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /**
   * Queues a record. Never throws and never waits: look at `durable`. The fields' bytes are copied
   * before it returns.
   */
  append(draft: RecordDraft): Appended {
    const filling = this.#queued(draft);
    if (filling instanceof LogError) return refused(filling);
    return { sequence: this.#sequence - 1, durable: filling.durable };
  }

  /** The same for who appends thousands a second: `settled` is called once, later. */
  appendThen(draft: RecordDraft, settled: Settled): void {
    const filling = this.#queued(draft);
    if (filling instanceof LogError) queueMicrotask(() => settled(filling));
    else filling.waiting.push(settled);
  }

  #queued(draft: RecordDraft): Filling | LogError {
    if (this.#state !== "healthy") {
      const code = this.#state === "closed" ? "log.closed" : "log.unhealthy";
      return new LogError(code, `the writer ${this.name} is ${this.#state}`);
    }
    try {
      const filling = this.#encode(draft);
      this.#sequence += 1;
      this.#flushing ??= this.#flush();
      return filling;
    } catch (error) {
      if (error instanceof LogError) return error;
      throw error;
    }
  }

  /** Writes the record into the queue; the buffer that it went into. */
  #encode(draft: RecordDraft): Filling {
    const name = draft.kind === "act" ? draft.act : draft.exchange;
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes === 0 || nameBytes > MAX_NAME_BYTES || !name.isWellFormed())
      throw new LogError("log.name", `expected a name of 1 to ${MAX_NAME_BYTES} bytes, got ${nameBytes}`);
    const account = draft.account ?? "";
    const accountBytes = Buffer.byteLength(account);
    if (accountBytes > MAX_NAME_BYTES || (draft.account !== null && accountBytes === 0))
      throw new LogError(
        "log.name",
        `expected an account of 1 to ${MAX_NAME_BYTES} bytes, got ${accountBytes}`,
      );
    const timeMs = Math.floor(draft.timeMs);
    if (!(timeMs >= 0 && timeMs <= MAX_TIME_MS))
      throw new LogError("log.time", `expected milliseconds since 1970, got ${draft.timeMs}`);
    const record = { account, accountBytes, names: FIELDS[draft.kind], fields: draft.fields };
    const length = frameBytes(nameBytes, plainBytes(record));
    if (length > MAX_FRAME_BYTES)
      throw new LogError("log.record-too-large", `expected at most ${MAX_FRAME_BYTES} bytes, got ${length}`);
    const filling = this.#queue.reserve(length);
    const at = filling.take(length);
    const plainAt = writeFrameHead(filling.buffer, at, { kind: draft.kind, timeMs, name, nameBytes }, length);
    writePlain(filling.buffer, plainAt, record, this.#random);
    return filling;
  }

  /** Self-clocked: the next write and sync start when the last have ended, with everything queued meanwhile. */
  async #flush(): Promise<void> {
    for (;;) {
      await this.#gathered();
      const batch = this.#queue.take();
      if (batch === null) break;
      this.#lastRecords = batch.ends.length;
      try {
        await this.#segments.write(batch.bytes, batch.ends);
        batch.settle(null);
      } catch (cause) {
        const error = cause instanceof LogError ? cause : diskError(`could not write as ${this.name}`, cause);
        this.#fail(error);
        batch.settle(error);
      }
    }
    this.#flushing = null;
  }

  /** Resolves when it is time to write what waits. */
  #gathered(): Promise<void> {
    return new Promise((resolve) => {
      let seen = 0;
      const look = (): void => {
        const { records } = this.#queue;
        const isGrowing = records > seen && this.#lastRecords > FEW_RECORDS;
        seen = records;
        if (isGrowing && this.#queue.waitedMs < GATHER_MS) setImmediate(look);
        else resolve();
      };
      if (this.#queue.records === 0) resolve();
      else setImmediate(look); // at least one write for all that this turn brings
    });
  }

  /** Moves to a fresh segment between two writes. False: not now. */
  async #leave(): Promise<boolean> {
    while (this.#flushing !== null) await this.#flushing;
    if (this.#state !== "healthy") return false;
    let left = false;
    const leaving = async (): Promise<void> => {
      try {
        await this.#segments.leave();
        left = true;
      } catch (cause) {
        this.#fail(cause instanceof LogError ? cause : diskError(`could not write as ${this.name}`, cause));
      }
      await this.#flush(); // what came meanwhile
    };
    this.#flushing = leaving();
    await this.#flushing;
    return left;
  }

  /** After a failed sync nobody knows what the disk holds: give the segment up and refuse what waits. */
  #fail(error: LogError): void {
    this.#state = "failed";
    this.#onFailure?.(error);
    this.#queue.rejectAll(error);
    this.#scheduleRecovery();
  }

  #scheduleRecovery(): void {
    if (this.#recoverEveryMs === 0 || this.#state !== "failed") return;
    this.#recoverTimer = setTimeout(() => {
      this.recover().catch(() => this.#scheduleRecovery());
    }, this.#recoverEveryMs);
    this.#recoverTimer.unref();
  }

  /**
   * Goes on in a new segment after a disk failure. The sequence numbers that were refused stay unused and are declared
   * in the segment's header. Throws LogError while the disk still refuses.
   */
  async recover(): Promise<void> {
    if (this.#state !== "failed") return;
    if (this.#recoverTimer !== null) clearTimeout(this.#recoverTimer);
    await this.#flushing;
    try {
      await this.#segments.restart(this.#sequence);
      if (this.#state === "failed") this.#state = "healthy";
    } catch (cause) {
      throw cause instanceof LogError ? cause : diskError(`could not resume as ${this.name}`, cause);
    }
  }

  /** Waits for everything appended, then gives up the lock. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    await this.#giveUp.stop();
    if (this.#recoverTimer !== null) clearTimeout(this.#recoverTimer);
    while (this.#flushing !== null) await this.#flushing;
    await this.#segments.close();
    this.#lock.release();
  }
}
