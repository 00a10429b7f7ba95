// Seals many frames in the order they came, with a crew's help where there are many.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Frame } from "./frame.ts";
import type { RecordCrew } from "./record-crew.ts";
import { JobBuilder, sealedParts } from "./record-job.ts";
import { type FrameSealer, finished, type KeyedFrame, type SealedFrame } from "./sealing.ts";

/** Frames that are handed over together, unless they are large. */
const CHUNK_FRAMES = 256;
const CHUNK_BYTES: number = 1024 * 1024;
/** Frames from which on help is asked for: a ledger that keeps up with its writers never starts a thread. */
const MANY_FRAMES: number = 4 * CHUNK_FRAMES;
/** Chunks that may be under way, which bounds what they take of memory. */
const MAX_UNDER_WAY = 8;

interface Sealers {
  readonly sealer: FrameSealer;
  readonly crew: RecordCrew;
}

/** All frames sealed, in order, some at a time. Throws LogError: `log.damaged`, `log.key-store-failed`. */
export async function* sealInOrder(
  frames: readonly Frame[],
  { sealer, crew }: Sealers,
): AsyncGenerator<readonly SealedFrame[]> {
  const isMany = frames.length >= MANY_FRAMES;
  const underWay: Promise<readonly SealedFrame[]>[] = [];
  for (const chunk of chunksOf(frames)) {
    if (isMany) await nextTurn(); // for what the threads have to say
    const sealed =
      isMany && crew.hasRoom
        ? sealElsewhere(chunk, { sealer, crew })
        : Promise.resolve(chunk.map((frame) => sealer.seal(frame)));
    sealed.catch(() => {}); // thrown by whoever takes it
    underWay.push(sealed);
    for (; underWay.length > (isMany ? MAX_UNDER_WAY : 0); underWay.shift()) yield (await underWay[0]) ?? [];
  }
  for (const sealed of underWay) yield await sealed;
}

function* chunksOf(frames: readonly Frame[]): Generator<readonly Frame[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, { plain }] of frames.entries()) {
    if (at - from === CHUNK_FRAMES || (at > from && bytes + plain.length > CHUNK_BYTES)) {
      yield frames.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += plain.length;
  }
  if (from < frames.length) yield frames.slice(from);
}

async function sealElsewhere(
  frames: readonly Frame[],
  { sealer, crew }: Sealers,
): Promise<readonly SealedFrame[]> {
  const bytes = frames.reduce((sum, { plain }) => sum + plain.length, 0);
  const builder = new JobBuilder(frames.length, bytes);
  const keyed: KeyedFrame[] = [];
  for (const frame of frames) {
    keyed.push(sealer.key(frame, builder.keys, builder.keyAt));
    builder.add(frame.plain);
  }
  const result = await crew.seal({ type: "seal", ...builder.take() });
  if (result === null) return frames.map((frame) => sealer.seal(frame));
  const sealed: SealedFrame[] = [];
  for (const parts of sealedParts(result)) {
    const one = keyed[sealed.length];
    if (one === undefined) throw new TypeError(`expected ${keyed.length} records, got more`);
    sealed.push(finished(one, parts));
  }
  if (sealed.length !== keyed.length)
    throw new TypeError(`expected ${keyed.length} records, got ${sealed.length}`);
  return sealed;
}
