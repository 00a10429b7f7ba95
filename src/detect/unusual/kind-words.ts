// Says in words what makes a learnt kind: the cuts that lead to it.
import type { Cut } from "../../core/statistics/kinds.ts";
import { LENGTHS_OF, lengthAt, SHARES_OF } from "./covariates.ts";

/** "with a system prompt, without tools, up to 60 tokens answered"; the population itself is "all accounts". */
export function wordsOfKind(cuts: readonly Cut[]): string {
  const dimensions = [...new Set(cuts.map(({ dimension }) => dimension))].sort((a, b) => a - b);
  const words = dimensions.map((dimension) => {
    const of = cuts.filter((cut) => cut.dimension === dimension);
    const from = Math.max(...of.filter(({ isAbove }) => isAbove).map(({ at }) => at));
    const to = Math.min(...of.filter(({ isAbove }) => !isAbove).map(({ at }) => at));
    const share = SHARES_OF[dimension];
    return share === undefined ? lengthWords(dimension, from, to) : shareWords(share, from, to);
  });
  return words.length === 0 ? "all accounts" : words.join(", ");
}

function shareWords(what: string, from: number, to: number): string {
  if (to === Number.POSITIVE_INFINITY) return from < 0.25 ? `at times with ${what}` : `with ${what}`;
  if (from === Number.NEGATIVE_INFINITY) return to > 0.75 ? `not always with ${what}` : `without ${what}`;
  return `at times with ${what}`;
}

function lengthWords(dimension: number, from: number, to: number): string {
  const what = LENGTHS_OF[dimension - SHARES_OF.length] ?? "";
  const [low, high] = [from, to].map((cut) => Number(lengthAt(cut).toPrecision(2)).toString());
  if (to === Number.POSITIVE_INFINITY) return `${low} or more ${what}`;
  if (from === Number.NEGATIVE_INFINITY) return `below ${high} ${what}`;
  return `${low} to ${high} ${what}`;
}
