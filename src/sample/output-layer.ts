// The sample model's output layer: a real one, if tiny. Logits are W·h with a hidden size of 24, so that top_logprobs
// and logit_bias behave as in any transformer, and so that what steals such a layer from an API works here as well.
import { createHash } from "node:crypto";
import { bytesOfToken, VOCABULARY_SIZE } from "./tokens.ts";

export const HIDDEN_SIZE = 24;
/** How strongly the hidden state points at the token that the answer goes on with; more than any two rows overlap. */
const CONFIDENCE = 14;
const CONTEXT_WEIGHT = 1.5;

export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

export interface Prediction {
  /** The most probable token after bias: what a model at temperature 0 emits. */
  readonly id: number;
  readonly logprob: number;
  /** Most probable first. */
  readonly top: readonly TokenLogprob[];
}

/** Rows of W: unit vectors, the same on every machine. */
const ROWS: readonly Float64Array[] = Array.from({ length: VOCABULARY_SIZE }, (_, id) =>
  direction(`row ${id}`),
);

/**
 * The distribution over the next token when the answer would go on with `planned` after `context`.
 * `bias` is added to the logits before the softmax (the API's `logit_bias`).
 */
export function predict(
  context: string,
  planned: number,
  { bias, topCount }: { bias: ReadonlyMap<number, number>; topCount: number },
): Prediction {
  const hidden = direction(context).map((value) => value * CONTEXT_WEIGHT);
  const target = ROWS[planned];
  if (target !== undefined)
    for (let at = 0; at < HIDDEN_SIZE; at += 1)
      hidden[at] = (hidden[at] ?? 0) + CONFIDENCE * (target[at] ?? 0);
  const logits = ROWS.map((row, id) => dot(row, hidden) + (bias.get(id) ?? 0));
  const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const logSum = highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
  const ranked = logits
    .map((logit, id) => ({ id, logprob: logit - logSum }))
    .sort((a, b) => b.logprob - a.logprob);
  const [best = { id: planned, logprob: 0 }] = ranked;
  return { ...best, top: ranked.slice(0, topCount) };
}

/** The token as the API shows it: text, and bytes for pieces that are no whole character. */
export function shownToken({ id, logprob }: TokenLogprob): {
  token: string;
  logprob: number;
  bytes: number[];
} {
  const bytes = bytesOfToken(id);
  return { token: bytes.toString("utf8"), logprob, bytes: [...bytes] };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < HIDDEN_SIZE; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** A unit vector that depends on the seed alone: uniform numbers from a hash, summed in threes to be near normal. */
function direction(seed: string): Float64Array {
  const numbers = new Float64Array(HIDDEN_SIZE);
  let digest = createHash("sha512").update(seed).digest();
  let at = 0;
  const uniform = (): number => {
    if (at + 2 > digest.length) {
      digest = createHash("sha512").update(digest).digest();
      at = 0;
    }
    at += 2;
    return digest.readUInt16BE(at - 2) / 65_536 - 0.5;
  };
  for (let index = 0; index < HIDDEN_SIZE; index += 1) numbers[index] = uniform() + uniform() + uniform();
  const norm = Math.sqrt(dot(numbers, numbers)) || 1;
  return numbers.map((value) => value / norm);
}
