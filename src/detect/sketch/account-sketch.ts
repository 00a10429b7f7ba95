// All that is kept of an account for comparing it with others: a sketch of bounded size, and the sketch of any union.
import { BottomSample } from "../../core/statistics/bottom-sample.ts";
import { CELLS, FEATURE_SCALE, RandomFeatures } from "../../core/statistics/random-features.ts";
import { EMBEDDING_DIMENSIONS, EMBEDDING_LENGTH } from "../features/embedding.ts";
import { SHAPE_DIMENSIONS, SHAPE_UNIT } from "../features/shape.ts";

/** What a sketch takes of one exchange: columns of its feature row, nothing else. */
export interface Sketched {
  readonly timeMs: number;
  readonly served: boolean;
  readonly continued: boolean;
  /** Keyed 64-bit hashes. */
  readonly input: bigint;
  readonly skeleton: bigint;
  readonly completionTokens: number;
  readonly promptChars: number;
  readonly embedding: ArrayLike<number>;
  readonly shape: ArrayLike<number>;
  /** One bit a capability, the lowest first; 0 where none is known. */
  readonly tags: number;
}

const HOURS_A_DAY = 24;
const HOUR_MS = 3_600_000;
/** Hours whose work is remembered one by one: a ring of 1,024 hours, longer than any detector's window. */
const HOUR_RING = 1_024;
const TAGS = 16;
const INPUTS = 80;
const SKELETONS = 48;
const MAX_CELL = 65_535;

/** Coordinates of words that go into the random features beside the shape: 64 numbers in all. */
const WORDS_IN_FEATURES = EMBEDDING_DIMENSIONS - SHAPE_DIMENSIONS;
/** Weight of the shape in it: about that of the words, both having 100 as their unit. */
const SHAPE_WEIGHT = 0.4;
const FEATURES = new RandomFeatures({ bandwidths: [0.7], seed: 0x5eed });
/** Words, shape and random features of an exchange, one after the other, as whole numbers. */
export const FEATURE_LENGTH: number = EMBEDDING_DIMENSIONS + SHAPE_DIMENSIONS + FEATURES.length;

/** What one unit of each weighs where features are compared: a vector of words, a shape and random features alike. */
export const featureWeights: Float64Array = Float64Array.from({ length: FEATURE_LENGTH }, (_, i) =>
  i < EMBEDDING_DIMENSIONS
    ? 1 / EMBEDDING_LENGTH
    : i < EMBEDDING_DIMENSIONS + SHAPE_DIMENSIONS
      ? 0.3 / SHAPE_UNIT
      : 0.05 / FEATURE_SCALE,
);

/** Adds an exchange's features to `sums`; returns the cell its text lies in. */
export function addFeatures(
  { embedding, shape }: Pick<Sketched, "embedding" | "shape">,
  sums: Int32Array,
): number {
  const joint = new Float64Array(EMBEDDING_DIMENSIONS);
  for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 1) {
    const value = embedding[i] ?? 0;
    sums[i] = (sums[i] as number) + value;
    if (i < WORDS_IN_FEATURES) joint[i] = value;
  }
  for (let i = 0; i < SHAPE_DIMENSIONS; i += 1) {
    const value = shape[i] ?? 0;
    sums[EMBEDDING_DIMENSIONS + i] = (sums[EMBEDDING_DIMENSIONS + i] as number) + value;
    joint[WORDS_IN_FEATURES + i] = SHAPE_WEIGHT * value;
  }
  return FEATURES.add(joint, sums, EMBEDDING_DIMENSIONS + SHAPE_DIMENSIONS);
}

/** Sums and counts in double precision: whole numbers below 2^53, so that order never matters. */
export interface SketchCounts {
  exchanges: number;
  served: number;
  /** Conversations begun, and exchanges that went on with one. */
  firstTurns: number;
  followUps: number;
  completionTokens: number;
  promptChars: number;
  firstMs: number;
  lastMs: number;
}

/**
 * A mergeable sketch: `merge` is associative and commutative, and the merge of the sketches of two sets of exchanges is
 * the sketch of their union (as multisets: an exchange must be in one of them only). Everything in it is a sum, a
 * minimum, a maximum, a union, or a bottom-k sample.
 */
export class AccountSketch {
  readonly counts: SketchCounts = {
    exchanges: 0,
    served: 0,
    firstTurns: 0,
    followUps: 0,
    completionTokens: 0,
    promptChars: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
  };
  /** Sums of features over all exchanges (`addFeatures`). */
  readonly features: Int32Array = new Int32Array(FEATURE_LENGTH);
  /** Exchanges by hour of the day, UTC. */
  readonly hoursOfDay: Uint32Array = new Uint32Array(HOURS_A_DAY);
  /** Exchanges that show each capability. */
  readonly tags: Uint32Array = new Uint32Array(TAGS);
  /** Exchanges by cell of the space of texts, saturating: coverage and near pairs. */
  readonly cells: Uint16Array = new Uint16Array(CELLS);
  /** Hours worked in, a bit each. */
  readonly #hours: Uint32Array = new Uint32Array(HOUR_RING / 32);
  readonly inputs: BottomSample = new BottomSample(INPUTS);
  readonly skeletons: BottomSample = new BottomSample(SKELETONS);

  add(exchange: Sketched): void {
    const { counts } = this;
    counts.exchanges += 1;
    if (exchange.served) counts.served += 1;
    if (exchange.continued) counts.followUps += 1;
    else counts.firstTurns += 1;
    counts.completionTokens += exchange.completionTokens;
    counts.promptChars += exchange.promptChars;
    counts.firstMs = Math.min(counts.firstMs, exchange.timeMs);
    counts.lastMs = Math.max(counts.lastMs, exchange.timeMs);
    const hour = Math.floor(exchange.timeMs / HOUR_MS);
    const ofDay = hour % HOURS_A_DAY;
    this.hoursOfDay[ofDay] = (this.hoursOfDay[ofDay] as number) + 1;
    const word = (hour % HOUR_RING) >> 5;
    this.#hours[word] = (this.#hours[word] as number) | (1 << (hour & 31));
    for (let tag = 0; tag < TAGS; tag += 1)
      if (((exchange.tags >> tag) & 1) === 1) this.tags[tag] = (this.tags[tag] as number) + 1;
    const cell = addFeatures(exchange, this.features);
    this.cells[cell] = Math.min(MAX_CELL, (this.cells[cell] as number) + 1);
    this.inputs.add(unitOf(exchange.input));
    this.skeletons.add(unitOf(exchange.skeleton));
  }

  /** Takes all of `other` in; `other` stays as it is. */
  merge(other: AccountSketch): void {
    const { counts } = this;
    counts.exchanges += other.counts.exchanges;
    counts.served += other.counts.served;
    counts.firstTurns += other.counts.firstTurns;
    counts.followUps += other.counts.followUps;
    counts.completionTokens += other.counts.completionTokens;
    counts.promptChars += other.counts.promptChars;
    counts.firstMs = Math.min(counts.firstMs, other.counts.firstMs);
    counts.lastMs = Math.max(counts.lastMs, other.counts.lastMs);
    addUp(this.features, other.features);
    addUp(this.hoursOfDay, other.hoursOfDay);
    addUp(this.tags, other.tags);
    for (let i = 0; i < CELLS; i += 1)
      this.cells[i] = Math.min(MAX_CELL, (this.cells[i] as number) + (other.cells[i] as number));
    for (let i = 0; i < this.#hours.length; i += 1)
      this.#hours[i] = (this.#hours[i] as number) | (other.#hours[i] as number);
    this.inputs.merge(other.inputs);
    this.skeletons.merge(other.skeletons);
  }

  /** Different hours with any traffic, of the last 1,024. */
  get hoursWorked(): number {
    let total = 0;
    for (const word of this.#hours) for (let bits = word; bits !== 0; bits &= bits - 1) total += 1;
    return total;
  }

  /** Bytes of what is kept, the same for every account. */
  get bytes(): number {
    const arrays = [this.features, this.hoursOfDay, this.tags, this.cells, this.#hours];
    const numbers = 8 * Object.keys(this.counts).length;
    return (
      numbers +
      arrays.reduce((sum, array) => sum + array.byteLength, 0) +
      this.inputs.bytes +
      this.skeletons.bytes
    );
  }
}

/** The upper 53 bits of a hash as a number in [0, 1): two of 16 million texts collide with probability 0.014. */
function unitOf(hash: bigint): number {
  return Number(BigInt.asUintN(64, hash) >> 11n) / 2 ** 53;
}

function addUp(to: Int32Array | Uint32Array, from: Int32Array | Uint32Array): void {
  for (let i = 0; i < to.length; i += 1) to[i] = (to[i] as number) + (from[i] as number);
}
