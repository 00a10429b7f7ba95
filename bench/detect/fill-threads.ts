// Fills a store on two threads, as a pump that is behind does; the clock runs only while nobody makes exchanges.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { EncodedRows } from "../../src/store/encoded-rows.ts";
import type { Store } from "../../src/store/store.ts";

export interface LinesRequest {
  readonly bytes: Uint8Array;
  /** Leaf index of the first line. */
  readonly leaf: number;
}

export interface RowsReply {
  readonly rows: readonly EncodedRows[];
  readonly exchanges: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface Filled {
  readonly exchanges: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Deriving and storing by the clock, and processor time of all threads of this process, the engine's too. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const THREADS = 2;
/** Lines that a thread gets at once. */
const CHUNK_BYTES: number = 4 * 2 ** 20;
/** Lines that are read from their maker before it is made to wait and the clock starts. */
const PIECE_BYTES: number = 256 * 2 ** 20;
/** Rows of one insert, about as many as the pump's. */
const ROWS_AN_INSERT = 32_768;
const LINE_FEED = 0x0a;

/** Rows of all pieces, in order. */
export async function fillOnThreads(store: Store, pieces: AsyncIterable<Buffer>): Promise<Filled> {
  const threads = Array.from(
    { length: THREADS },
    () => new Worker(new URL("fill-thread.ts", import.meta.url)),
  );
  const total = { exchanges: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: 0, seconds: 0, cpuSeconds: 0 };
  let leaf = await store.position();
  try {
    for await (const piece of pieces) {
      const beganMs = performance.now();
      const before = process.cpuUsage();
      const filled = await fillPiece(store, threads, { piece, leaf });
      const { user, system } = process.cpuUsage(before);
      leaf += filled.exchanges;
      total.exchanges += filled.exchanges;
      total.firstMs = Math.min(total.firstMs, filled.firstMs);
      total.lastMs = Math.max(total.lastMs, filled.lastMs);
      total.seconds += (performance.now() - beganMs) / 1000;
      total.cpuSeconds += (user + system) / 1e6;
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  return total;
}

async function fillPiece(
  store: Store,
  threads: readonly Worker[],
  { piece, leaf }: { readonly piece: Buffer; readonly leaf: number },
): Promise<Omit<RowsReply, "rows">> {
  const chunks = chunksOf(piece, leaf);
  const replies: (RowsReply | undefined)[] = [];
  const total = { exchanges: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: 0 };
  let next = 0;
  let waiting: EncodedRows[] = [];
  let inserting: Promise<void> = Promise.resolve();
  /** Inserts in order what has come; resolves when at most this insert is still at work. */
  const insertReady = (isLast: boolean): Promise<void> => {
    for (let reply = replies[next]; reply !== undefined; reply = replies[next]) {
      replies[next] = undefined;
      next += 1;
      total.exchanges += reply.exchanges;
      total.firstMs = Math.min(total.firstMs, reply.firstMs);
      total.lastMs = Math.max(total.lastMs, reply.lastMs);
      waiting.push(...reply.rows);
    }
    const count = waiting.reduce((sum, { rows }) => sum + rows, 0);
    if (count === 0 || (count < ROWS_AN_INSERT && !isLast)) return Promise.resolve();
    const exchange_features = waiting;
    const position = leaf + total.exchanges;
    waiting = [];
    const before = inserting;
    inserting = before.then(() => store.insertBatch({ lines: { exchange_features }, position }));
    return before;
  };
  const lanes = threads.map(async (thread, lane) => {
    for (let at = lane; at < chunks.length; at += threads.length) {
      const chunk = chunks[at];
      if (chunk === undefined) break;
      const bytes = new Uint8Array(chunk.bytes);
      const answered = once(thread, "message");
      thread.postMessage({ bytes, leaf: chunk.leaf } satisfies LinesRequest, [bytes.buffer]);
      [replies[at]] = (await answered) as [RowsReply];
      await insertReady(false);
    }
  });
  await Promise.all(lanes);
  await insertReady(true);
  await inserting;
  return total;
}

function chunksOf(piece: Buffer, leaf: number): LinesRequest[] {
  const chunks: LinesRequest[] = [];
  let first = leaf;
  for (let from = 0; from < piece.length; ) {
    const far = Math.min(piece.length, from + CHUNK_BYTES);
    const to = far === piece.length ? far : piece.lastIndexOf(LINE_FEED, far) + 1;
    const bytes = piece.subarray(from, to);
    chunks.push({ bytes, leaf: first });
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) first += 1;
    from = to;
  }
  return chunks;
}

/** Whole lines of a stream in large pieces. While a piece is in use, the stream's maker waits at its full pipe. */
export async function* piecesOf(stream: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const data of stream) {
    const chunk = Buffer.from(data);
    chunks.push(chunk);
    length += chunk.length;
    if (length < PIECE_BYTES) continue;
    const piece = Buffer.concat(chunks);
    const end = piece.lastIndexOf(LINE_FEED) + 1;
    const rest = piece.subarray(end);
    chunks = rest.length > 0 ? [Buffer.from(rest)] : [];
    length = rest.length;
    yield piece.subarray(0, end);
  }
  if (length > 0) yield Buffer.concat(chunks);
}
