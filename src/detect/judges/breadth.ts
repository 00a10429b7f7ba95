// How wide the range is of what an account asks: a sample of everything, or somebody's own matters?
import { EMBEDDING_DIMENSIONS, EMBEDDING_LENGTH } from "../features/embedding.ts";

/** Sums over an account's texts. */
export interface Texts {
  readonly texts: number;
  /** Sum of embeddings and of their squared lengths, in their own units. */
  readonly sum: readonly number[];
  readonly squares: number;
  /** Standard deviation of the logarithm of characters asked. */
  readonly askedSpread: number;
}

/** Keeps the logarithm of a spread finite: a list of inputs of one length. */
const LEAST_SPREAD = 0.05;
const LEAST_SIMILARITY = 0.02;

/** Mean inner product of two texts, 0 for nothing in common to 1 for the same; unbiased. */
export function selfSimilarityOf({ sum, squares, texts }: Texts): number {
  let square = 0;
  for (const value of sum) square += value * value;
  return (square - squares) / Math.max(1, texts * (texts - 1)) / EMBEDDING_LENGTH ** 2;
}

/**
 * How wide the range of an account's inputs is, in topics and in length: a product has its own range, a person their
 * own interests; a sample of everything has neither.
 */
export function breadthOf(row: Texts): number {
  return Math.log(row.askedSpread + LEAST_SPREAD) - logSimilarityOf(row);
}

/** Never that of nothing in common: its logarithm stays finite. */
export function logSimilarityOf(row: Texts): number {
  return Math.log(Math.max(selfSimilarityOf(row), LEAST_SIMILARITY));
}

/** Standard deviation of the inner product of two unrelated texts of length 1 in so many dimensions. */
const UNRELATED_DEVIATION = 1 / Math.sqrt(EMBEDDING_DIMENSIONS);
/** Standard errors that an accused account's breadth stays beyond the limit by: 99 % one-sided. */
const SURE_ERRORS = 2.326;

/**
 * The least breadth that an account's few inputs leave likely: of t texts, the spread is known to a share of
 * 1 / sqrt(2 (t - 1)), and the self-similarity, a mean over t (t - 1) / 2 pairs, to a pair's deviation over their root.
 */
export function sureBreadthOf(row: Texts): number {
  const { texts } = row;
  const pairs = Math.max(1, (texts * (texts - 1)) / 2);
  const similarity =
    Math.max(selfSimilarityOf(row), LEAST_SIMILARITY) +
    (SURE_ERRORS * UNRELATED_DEVIATION) / Math.sqrt(pairs);
  const spread =
    Math.log(row.askedSpread + LEAST_SPREAD) - SURE_ERRORS / Math.sqrt(2 * Math.max(1, texts - 1));
  return spread - Math.log(similarity);
}
