// A small fuzzer guided by coverage: inputs that reach code no input reached before become seeds of further ones.
import { Session } from "node:inspector/promises";
import { generator, type Random } from "./random.ts";

export interface FuzzOptions {
  /** Inputs to begin with: the better they are, the deeper it gets. */
  readonly seeds: readonly Uint8Array[];
  /** Must not throw, whatever it gets. */
  readonly run: (input: Uint8Array) => unknown;
  /** Which files' coverage guides it. */
  readonly files: RegExp;
  /** How long, milliseconds. */
  readonly budgetMs: number;
  readonly seed: number;
}

export interface FuzzReport {
  readonly runs: number;
  /** Blocks of code that were reached, over all inputs. */
  readonly blocks: number;
  readonly corpus: number;
  /** The first input that threw, or null. */
  readonly failure: { readonly input: Uint8Array; readonly error: unknown } | null;
}

/** Taking the coverage costs about a millisecond, so it is taken of this many inputs together. */
const BATCH = 32;
const MAX_CORPUS = 2000;
const MAX_INPUT_BYTES = 256 * 1024;

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return await loop(options, session);
  } finally {
    await session.post("Profiler.stopPreciseCoverage").catch(() => {});
    session.disconnect();
  }
}

async function loop(
  { seeds, run, files, budgetMs, seed }: FuzzOptions,
  session: Session,
): Promise<FuzzReport> {
  const random = generator(seed);
  const corpus = [...seeds];
  const known = new Set<string>();
  const endMs = performance.now() + budgetMs;
  let runs = 0;
  let failure: FuzzReport["failure"] = null;
  while (failure === null && performance.now() < endMs) {
    const batch = Array.from({ length: BATCH }, () => mutated(corpus, random));
    for (const input of batch) {
      runs += 1;
      try {
        await run(input);
      } catch (error) {
        failure = { input, error };
        break;
      }
    }
    if (await isNews(session, files, known)) corpus.push(...batch);
    while (corpus.length > MAX_CORPUS)
      corpus.splice(seeds.length + random.below(MAX_CORPUS - seeds.length), 1);
  }
  return { runs, blocks: known.size, corpus: corpus.length, failure };
}

/** Did the inputs since the last call reach a block that none reached before? */
async function isNews(session: Session, files: RegExp, known: Set<string>): Promise<boolean> {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const before = known.size;
  for (const { url, functions } of result) {
    if (!files.test(url)) continue;
    for (const { ranges } of functions)
      for (const { startOffset, endOffset, count } of ranges)
        if (count > 0) known.add(`${url}:${startOffset}-${endOffset}`);
  }
  return known.size > before;
}

/** One to four changes to an input of the corpus; sometimes two inputs crossed. */
function mutated(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const pick = (): Uint8Array => corpus[random.below(corpus.length)] ?? new Uint8Array();
  let bytes = Buffer.from(pick());
  for (let round = 0; round <= random.below(4); round++) {
    const at = random.below(bytes.length + 1);
    const length = 1 + random.below(random.below(4) === 0 ? 200 : 8);
    const [start, end] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (random.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes = Buffer.concat([start, end.subarray(length)]);
        break;
      case 2:
        bytes = Buffer.concat([start, end.subarray(0, length), end]);
        break;
      case 3:
        bytes = Buffer.concat([start, Buffer.alloc(length, random.below(256)), end]);
        break;
      case 4: {
        const other = pick();
        const from = random.below(other.length + 1);
        bytes = Buffer.concat([start, other.subarray(from, from + length * 16), end.subarray(length * 16)]);
        break;
      }
      default:
        if (at + 4 <= bytes.length)
          bytes.writeUInt32LE([0, 0xffff_ffff, 0x8000_0000, bytes.length][random.below(4)] ?? 0, at);
    }
  }
  return bytes.subarray(0, MAX_INPUT_BYTES);
}
