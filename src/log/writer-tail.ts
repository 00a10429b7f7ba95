// Follows one writer's segments for the ledger: what was written since a position, in order, across files and crashes.
import type { Buffer } from "node:buffer";
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import type { Frame } from "./frame.ts";
import type { WriterPosition } from "./ledger-state.ts";
import { SEGMENT_HEADER_BYTES, SegmentReader, segmentNumbers } from "./segment.ts";

const DRAIN_BYTES: number = 1024 * 1024;

/** What the ledger turns into leaves. */
export type TailEvent =
  | { readonly type: "frame"; readonly incarnation: number; readonly frame: Frame }
  /** `count` sequence numbers from `from` on are missing. `declared`: the writer said so, nothing acknowledged is lost. */
  | {
      readonly type: "gap";
      readonly incarnation: number;
      readonly from: number;
      readonly count: number;
      readonly declared: boolean;
      readonly path: string;
      readonly offset: number;
    }
  /** No frame of this incarnation will ever come again. */
  | { readonly type: "final"; readonly incarnation: number };

export interface TailRead {
  readonly events: TailEvent[];
  readonly position: WriterPosition;
  /** There may be more already: the limit stopped the reading. */
  readonly more: boolean;
}

/** Lowest segment after `number` that holds this incarnation or a later one. */
async function nextSegment(
  disk: Disk,
  folder: string,
  writer: string,
  { position, writeAheadKey }: { position: WriterPosition; writeAheadKey: Buffer },
): Promise<SegmentReader | null> {
  for (const number of await segmentNumbers(disk, folder)) {
    if (number <= (position.segment ?? 0)) continue;
    const reader = await SegmentReader.open(disk, folder, { writer, number, writeAheadKey });
    if (reader === null) continue;
    if (reader.header.incarnation >= position.incarnation) return reader;
    await reader.close();
  }
  return null;
}

class Tail {
  readonly events: TailEvent[] = [];
  readonly position: WriterPosition;
  #budget: number;

  constructor(position: WriterPosition, limitBytes: number) {
    this.position = { ...position };
    this.#budget = limitBytes;
  }

  /** Takes the frames that follow in a segment. True: the limit was reached. */
  async take(reader: SegmentReader): Promise<boolean> {
    if (this.#budget <= 0) return true;
    const { frames, end, more } = await reader.frames(this.position.offset, this.#budget);
    this.#budget -= end - this.position.offset;
    for (const frame of frames) this.#push(frame, reader, this.position.offset);
    this.position.offset = end;
    return more;
  }

  /** Takes all that is left of a segment, whatever the limit: its writer has left it, so it is bounded by the file. */
  async drain(reader: SegmentReader): Promise<void> {
    do this.#budget = Math.max(this.#budget, DRAIN_BYTES);
    while (await this.take(reader));
  }

  #push(frame: Frame, reader: SegmentReader, offset: number): void {
    const { incarnation, sequence } = this.position;
    if (frame.sequence < sequence) return; // sealed before: the position was rebuilt from the leaves
    this.gap(frame.sequence, false, reader.path, offset);
    this.events.push({ type: "frame", incarnation, frame });
    this.position.sequence = frame.sequence + 1;
  }

  gap(upTo: number, declared: boolean, path: string, offset: number): void {
    const { incarnation, sequence } = this.position;
    if (upTo <= sequence) return;
    this.events.push({
      type: "gap",
      incarnation,
      from: sequence,
      count: upTo - sequence,
      declared,
      path,
      offset,
    });
    this.position.sequence = upTo;
  }

  /** Whole batches behind damage in a segment that is known to be complete. */
  async salvage(reader: SegmentReader): Promise<void> {
    for (let found = await reader.salvage(this.position.offset); found !== null; ) {
      this.position.offset = found;
      await this.drain(reader);
      found = await reader.salvage(this.position.offset);
    }
  }

  enter(next: SegmentReader, former: SegmentReader | null): void {
    const { header } = next;
    const { position } = this;
    if (header.incarnation !== position.incarnation) {
      if (position.incarnation !== 0) this.events.push({ type: "final", incarnation: position.incarnation });
      position.incarnation = header.incarnation;
      position.sequence = 0;
    }
    const declared = header.lostFrom <= position.sequence;
    this.gap(header.firstSequence, declared, former?.path ?? next.path, position.offset);
    position.segment = header.number;
    position.offset = SEGMENT_HEADER_BYTES;
  }
}

/** Reads what a writer has written since `position`, up to about `limitBytes`. */
export async function readTail(
  disk: Disk,
  segments: string,
  writer: string,
  options: { position: WriterPosition | undefined; writeAheadKey: Buffer; limitBytes: number },
): Promise<TailRead> {
  const folder = join(segments, writer);
  const tail = new Tail(
    options.position ?? { incarnation: 0, sequence: 0, segment: null, offset: 0 },
    options.limitBytes,
  );
  const { position } = tail;
  const { writeAheadKey } = options;
  let reader =
    position.segment === null
      ? null
      : await SegmentReader.open(disk, folder, { writer, number: position.segment, writeAheadKey });
  try {
    for (;;) {
      if (reader !== null && (await tail.take(reader))) return { events: tail.events, position, more: true };
      const next = await nextSegment(disk, folder, writer, { position, writeAheadKey });
      if (next === null) return { events: tail.events, position, more: false };
      const former = reader;
      reader = next;
      try {
        if (former !== null) await finish(tail, former, next);
        tail.enter(next, former);
      } finally {
        await former?.close();
      }
    }
  } finally {
    await reader?.close();
  }
}

/** The writer left `former` before it began `next`: read what came in between, and search behind damage. */
async function finish(tail: Tail, former: SegmentReader, next: SegmentReader): Promise<void> {
  await tail.drain(former);
  const same = next.header.incarnation === tail.position.incarnation;
  if (same && next.header.lostFrom > tail.position.sequence) await tail.salvage(former);
}
