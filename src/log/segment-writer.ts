// The files under a LogWriter: which segment is being filled, which comes next, and what the last start left behind.
import { Buffer } from "node:buffer";
import { type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  BATCH_OVERHEAD_BYTES,
  type BatchBinding,
  batchBytes,
  beginsBatch,
  SEGMENT_SALT_BYTES,
  sealBatch,
  segmentKey,
} from "./batch.ts";
import { type Disk, readFully } from "./disk.ts";
import { LogError } from "./errors.ts";
import { readLedgerState, type WriterPosition } from "./ledger-state.ts";
import {
  createSegmentFile,
  encodeSegmentHeader,
  forgetSegment,
  SEGMENT_HEADER_BYTES,
  SegmentReader,
  segmentName,
  segmentNumbers,
} from "./segment.ts";

/** Part of a segment after which the next one is made ready. */
const PREPARE_AT = 0.5;
/** What is encrypted as one: enough to share the cost, little enough that damage to a byte costs few records. */
const BATCH_BYTES: number = 64 * 1024;
/** Sealed files kept beyond the one about to be reused; more are deleted. */
const SPARE_SEGMENTS = 1;
const SCAN_BYTES: number = 8 * 1024 * 1024;

/** What a start found behind the last whole batch of the former incarnation. */
export interface Recovery {
  readonly path: string;
  /** Offset at which the torn write begins; everything before is whole. */
  readonly offset: number;
  /** Bytes that are cut: never acknowledged, because their sync never returned. */
  readonly tornBytes: number;
}

interface SegmentWriterOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly writer: string;
  /** What the keys of segments are derived from. */
  readonly writeAheadKey: Buffer;
  /** Path of ledger/state.json, which tells what may be recycled. */
  readonly ledgerState: string;
  readonly segmentBytes: number;
  readonly startMs: number;
}

interface Current {
  readonly file: number;
  readonly key: KeyObject;
  readonly number: number;
  readonly bytes: number;
  used: number;
}

/** Where the frames that are not written yet begin: their number and their first byte. */
interface Run {
  readonly next: number;
  readonly start: number;
}

/** How many of the frames go into the next batch, in a segment with `roomBytes` for them; 0: none fits, or none is left. */
function batchLength(ends: readonly number[], { next, start }: Run, roomBytes: number): number {
  const first = (ends[next] ?? Number.POSITIVE_INFINITY) - start;
  if (first > roomBytes) return 0;
  const limit = Math.min(roomBytes, Math.max(first, BATCH_BYTES));
  let count = 1;
  while (next + count < ends.length && (ends[next + count] ?? 0) - start <= limit) count += 1;
  return count;
}

/** How far the ledger has sealed this writer. A damaged state.json says nothing: then nothing is recycled. */
async function sealedPosition(options: SegmentWriterOptions): Promise<WriterPosition | undefined> {
  try {
    return (await readLedgerState(options.disk, options.ledgerState))?.writers[options.writer];
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

/** Highest segment with a valid header, read to its last whole batch. */
async function lookBack(
  options: SegmentWriterOptions,
  numbers: readonly number[],
): Promise<{ incarnation: number; recovery: Recovery | null }> {
  const { disk, folder, writer, writeAheadKey } = options;
  for (const number of numbers.toReversed()) {
    const reader = await SegmentReader.open(disk, folder, { writer, number, writeAheadKey });
    if (reader === null) continue;
    try {
      let end = SEGMENT_HEADER_BYTES;
      for (let more = true; more; ) {
        const read = await reader.frames(end, SCAN_BYTES);
        ({ end, more } = read);
      }
      const { incarnation } = reader.header;
      return { incarnation, recovery: await tornTail(disk, reader, end) };
    } finally {
      await reader.close();
    }
  }
  return { incarnation: 0, recovery: null };
}

/** A batch of this very segment that begins here and is not whole; null after a clean end. */
async function tornTail(disk: Disk, reader: SegmentReader, end: number): Promise<Recovery | null> {
  const size = (await disk.size(reader.path)) ?? 0;
  const head = Buffer.alloc(Math.min(BATCH_OVERHEAD_BYTES, Math.max(0, size - end)));
  const file = await disk.open(reader.path, "r");
  try {
    await readFully(disk, file, head, end);
  } finally {
    await disk.close(file);
  }
  const binding: BatchBinding = { segment: reader.header.number, incarnation: reader.header.incarnation };
  if (!beginsBatch(head, 0, binding)) return null;
  return { path: reader.path, offset: end, tornBytes: Math.min(batchBytes(head), size - end) };
}

export class SegmentWriter {
  readonly incarnation: number;
  readonly recovery: Recovery | null;
  readonly #options: SegmentWriterOptions;
  #current: Current | null = null;
  #preparing: Promise<number> | null = null;
  /** Sequence number of the next frame to be written; everything before is durable. */
  #sequence = 0;
  /** Sealed files are destroyed instead of used again, because something in them was erased. */
  #isLeaving = false;

  private constructor(options: SegmentWriterOptions, incarnation: number, recovery: Recovery | null) {
    this.#options = options;
    this.incarnation = incarnation;
    this.recovery = recovery;
  }

  /** Reads what the last incarnation left, and begins a new one in a new segment. */
  static async open(options: SegmentWriterOptions): Promise<SegmentWriter> {
    const numbers = await segmentNumbers(options.disk, options.folder);
    const last = await lookBack(options, numbers);
    const sealed = await sealedPosition(options);
    const incarnation = Math.max(
      last.incarnation + 1,
      (sealed?.incarnation ?? 0) + 1,
      Math.floor(options.startMs),
    );
    const writer = new SegmentWriter(options, incarnation, last.recovery);
    await writer.#begin(Math.max(numbers.at(-1) ?? 0, sealed?.segment ?? 0) + 1, 0);
    return writer;
  }

  /** Encrypts, writes and syncs whole frames (`ends`: where each ends), in order, over as many segments as they need. */
  async write(frames: Buffer, ends: readonly number[]): Promise<void> {
    let run: Run = { next: 0, start: 0 };
    while (run.next < ends.length) {
      const needed = (ends[run.next] ?? 0) - run.start + BATCH_OVERHEAD_BYTES;
      if (this.#current === null || this.#current.used + needed > this.#current.bytes)
        await this.#roll(needed);
      run = await this.#put(this.#current as Current, frames, ends, run); // #roll set it or threw
    }
  }

  /** Fills a segment with as many batches as it has room for: one write, one sync. Returns what is left. */
  async #put(current: Current, frames: Buffer, ends: readonly number[], run: Run): Promise<Run> {
    const { disk } = this.#options;
    const { number: segment, key, bytes } = current;
    const parts: Buffer[] = [];
    let { next, start } = run;
    let offset = current.used;
    for (;;) {
      const count = batchLength(ends, { next, start }, bytes - offset - BATCH_OVERHEAD_BYTES);
      if (count === 0) break;
      const end = ends[next + count - 1] ?? 0;
      const sequence = this.#sequence + next - run.next;
      const place = { segment, incarnation: this.incarnation, sequence, key, offset, count };
      parts.push(...sealBatch(frames.subarray(start, end), place));
      offset += end - start + BATCH_OVERHEAD_BYTES;
      next += count;
      start = end;
    }
    disk.write(current.file, parts, current.used);
    await disk.datasync(current.file);
    current.used = offset;
    this.#sequence += next - run.next;
    if (current.used > bytes * PREPARE_AT) this.#prepare(segment + 1);
    return { next, start };
  }

  /** After a failure: a new file, whose header declares what was refused before `sequence`. */
  async restart(sequence: number): Promise<void> {
    await this.#preparing?.catch(() => {});
    this.#preparing = null;
    const numbers = await segmentNumbers(this.#options.disk, this.#options.folder);
    const number = Math.max(numbers.at(-1) ?? 0, this.#current?.number ?? 0) + 1;
    await this.#drop();
    const lostFrom = this.#sequence;
    await this.#begin(number, sequence, lostFrom);
    this.#sequence = sequence;
  }

  /** Goes on in a file that was never used, and destroys sealed ones from here on. Not while `write` is at work. */
  async leave(): Promise<void> {
    const { disk, folder } = this.#options;
    await this.#preparing?.catch(() => {});
    this.#preparing = null;
    this.#isLeaving = true;
    const number = (this.#current?.number ?? 0) + 1;
    await forgetSegment(disk, join(folder, segmentName(number))); // prepared: a former segment under a new name
    await this.#drop();
    await this.#begin(number, this.#sequence);
  }

  /** Destroys files that are sealed by now. True: none is left from before `leave`. */
  async retire(): Promise<boolean> {
    const { disk, folder } = this.#options;
    const current = this.#current?.number ?? 0;
    const sealed = Math.min(current, (await sealedPosition(this.#options))?.segment ?? 0);
    for (const number of await segmentNumbers(disk, folder)) {
      if (number < sealed) await forgetSegment(disk, join(folder, segmentName(number)));
      else if (number < current) return false;
    }
    this.#isLeaving = false;
    return true;
  }

  async close(): Promise<void> {
    await this.#preparing?.catch(() => {});
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current !== null) await this.#options.disk.close(current.file);
  }

  /** A fresh header, with a fresh key. */
  #header(
    number: number,
    firstSequence: number,
    lostFrom: number = firstSequence,
  ): { bytes: Buffer; key: KeyObject } {
    const { writer, writeAheadKey } = this.#options;
    const salt = randomBytes(SEGMENT_SALT_BYTES);
    const facts = { writer, number, incarnation: this.incarnation, firstSequence, lostFrom, salt };
    return { bytes: encodeSegmentHeader(facts), key: segmentKey(writeAheadKey, salt) };
  }

  /** Makes a file and writes its header at once, so that the ledger learns of the new incarnation. */
  async #begin(number: number, sequence: number, lostFrom: number = sequence): Promise<void> {
    const { disk, segmentBytes } = this.#options;
    await this.#ready(number);
    const file = await disk.open(join(this.#options.folder, segmentName(number)), "r+");
    const header = this.#header(number, sequence, lostFrom);
    try {
      disk.write(file, [header.bytes], 0);
      await disk.datasync(file);
    } catch (error) {
      await disk.close(file);
      throw error;
    }
    this.#current = { file, key: header.key, number, bytes: segmentBytes, used: SEGMENT_HEADER_BYTES };
  }

  /** Moves on to the next segment. Its header becomes durable with its first batch: one sync. */
  async #roll(neededBytes: number): Promise<void> {
    const { disk, folder, segmentBytes } = this.#options;
    const number = (this.#current?.number ?? 0) + 1;
    const needed = SEGMENT_HEADER_BYTES + neededBytes;
    let bytes = segmentBytes;
    await (this.#preparing ?? this.#prepare(number));
    this.#preparing = null;
    const path = join(folder, segmentName(number));
    if (needed > segmentBytes) {
      await createSegmentFile(disk, path, folder, needed); // a record larger than a segment gets a file of its own
      bytes = needed;
    }
    const file = await disk.open(path, "r+");
    await this.#drop();
    const header = this.#header(number, this.#sequence);
    this.#current = { file, key: header.key, number, bytes, used: SEGMENT_HEADER_BYTES };
    disk.write(file, [header.bytes], 0);
  }

  #prepare(number: number): Promise<number> {
    this.#preparing ??= this.#ready(number).then(() => number);
    this.#preparing.catch(() => {}); // seen by the roll that needs it
    return this.#preparing;
  }

  /** Puts a file with the right name and length in place: a sealed one under a new name, else a fresh one. */
  async #ready(number: number): Promise<void> {
    const { disk, folder, segmentBytes } = this.#options;
    const path = join(folder, segmentName(number));
    const sealed = (await sealedPosition(this.#options))?.segment ?? 0;
    const numbers = await segmentNumbers(disk, folder);
    let spare = SPARE_SEGMENTS;
    let reused = false;
    for (const old of numbers.filter(
      (candidate) => candidate < sealed && candidate !== this.#current?.number,
    )) {
      const oldPath = join(folder, segmentName(old));
      if (this.#isLeaving) {
        await forgetSegment(disk, oldPath);
        continue;
      }
      const fits = (await disk.size(oldPath)) === segmentBytes;
      if (fits && !reused && !numbers.includes(number)) {
        await disk.rename(oldPath, path);
        reused = true;
      } else if (fits && spare > 0) spare -= 1;
      else await disk.remove(oldPath);
    }
    if (reused) await disk.syncFolder(folder);
    else await createSegmentFile(disk, path, folder, segmentBytes);
  }
}
