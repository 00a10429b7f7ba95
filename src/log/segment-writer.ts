// The files under a LogWriter: which segment is being filled, which comes next, and what the last start left behind.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { type Disk, readFully } from "./disk.ts";
import { LogError } from "./errors.ts";
import { readFrame, stampFrame } from "./frame.ts";
import { readLedgerState, type WriterPosition } from "./ledger-state.ts";
import {
  createSegmentFile,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  SegmentReader,
  segmentName,
  segmentNumbers,
} from "./segment.ts";

/** Part of a segment after which the next one is made ready. */
const PREPARE_AT = 0.5;
/** Sealed files kept beyond the one about to be reused; more are deleted. */
const SPARE_SEGMENTS = 1;
const SCAN_BYTES: number = 8 * 1024 * 1024;

/** What a start found behind the last whole frame of the former incarnation. */
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
  /** Path of ledger/state.json, which tells what may be recycled. */
  readonly ledgerState: string;
  readonly segmentBytes: number;
  readonly startMs: number;
}

interface Current {
  readonly file: number;
  readonly number: number;
  readonly bytes: number;
  used: number;
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

/** Highest segment with a valid header, read to its last whole frame. */
async function lookBack(
  options: SegmentWriterOptions,
  numbers: readonly number[],
): Promise<{ incarnation: number; recovery: Recovery | null }> {
  const { disk, folder, writer } = options;
  for (const number of numbers.toReversed()) {
    const reader = await SegmentReader.open(disk, folder, writer, number);
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

/** A frame of this very segment that begins here and is not whole; null after a clean end. */
async function tornTail(disk: Disk, reader: SegmentReader, end: number): Promise<Recovery | null> {
  const size = (await disk.size(reader.path)) ?? 0;
  const head = Buffer.alloc(Math.min(4096, Math.max(0, size - end)));
  const file = await disk.open(reader.path, "r");
  try {
    await readFully(disk, file, head, end);
  } finally {
    await disk.close(file);
  }
  if (head.length < 32 || head.readUInt32BE(0) !== 0xad170f01) return null;
  const same =
    head.readUInt32BE(16) === reader.header.number && head.readUIntBE(20, 6) === reader.header.incarnation;
  const stampLost = head.readUInt32BE(16) === 0;
  if (!same && !stampLost) return null;
  const binding = { segment: reader.header.number, incarnation: reader.header.incarnation };
  if (typeof readFrame(head, 0, binding) === "object" && readFrame(head, 0, binding) !== null) return null;
  return { path: reader.path, offset: end, tornBytes: Math.min(head.readUInt32BE(8), size - end) };
}

export class SegmentWriter {
  readonly incarnation: number;
  readonly recovery: Recovery | null;
  readonly #options: SegmentWriterOptions;
  #current: Current | null = null;
  #preparing: Promise<number> | null = null;
  /** Sequence number of the next frame to be written; everything before is durable. */
  #sequence = 0;

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

  /** Writes and syncs whole frames, in order, over as many segments as they need. */
  async write(frames: readonly Buffer[]): Promise<void> {
    let next = 0;
    while (next < frames.length) {
      const first = frames[next] as Buffer; // below the length
      if (this.#current === null || this.#current.used + first.length > this.#current.bytes)
        await this.#roll(first.length);
      const current = this.#current as Current; // #roll set it or threw
      const run: Buffer[] = [];
      let bytes = current.used;
      for (
        let frame = frames[next];
        frame !== undefined && bytes + frame.length <= current.bytes;
        frame = frames[next]
      ) {
        stampFrame(frame, current.number);
        run.push(frame);
        bytes += frame.length;
        next += 1;
      }
      await this.#put(current, run, bytes);
    }
  }

  async #put(current: Current, run: readonly Buffer[], end: number): Promise<void> {
    const { disk } = this.#options;
    disk.write(current.file, run, current.used);
    await disk.datasync(current.file);
    current.used = end;
    this.#sequence += run.length;
    if (current.used > current.bytes * PREPARE_AT) this.#prepare(current.number + 1);
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

  async close(): Promise<void> {
    await this.#preparing?.catch(() => {});
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current !== null) await this.#options.disk.close(current.file);
  }

  #header(number: number, firstSequence: number, lostFrom: number = firstSequence): Buffer {
    const { writer } = this.#options;
    return encodeSegmentHeader({ writer, number, incarnation: this.incarnation, firstSequence, lostFrom });
  }

  /** Makes a file and writes its header at once, so that the ledger learns of the new incarnation. */
  async #begin(number: number, sequence: number, lostFrom: number = sequence): Promise<void> {
    const { disk, segmentBytes } = this.#options;
    await this.#ready(number);
    const file = await disk.open(join(this.#options.folder, segmentName(number)), "r+");
    try {
      disk.write(file, [this.#header(number, sequence, lostFrom)], 0);
      await disk.datasync(file);
    } catch (error) {
      await disk.close(file);
      throw error;
    }
    this.#current = { file, number, bytes: segmentBytes, used: SEGMENT_HEADER_BYTES };
  }

  /** Moves on to the next segment. Its header becomes durable with its first frames: one sync. */
  async #roll(frameBytes: number): Promise<void> {
    const { disk, folder, segmentBytes } = this.#options;
    const number = (this.#current?.number ?? 0) + 1;
    const needed = SEGMENT_HEADER_BYTES + frameBytes;
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
    this.#current = { file, number, bytes, used: SEGMENT_HEADER_BYTES };
    disk.write(file, [this.#header(number, this.#sequence)], 0);
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
