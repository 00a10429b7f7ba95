// What a sketch says of an account or of any pool of accounts: numbers that can be compared with those of its kind.
import { chaoRichness, unseenMass } from "../../core/statistics/bottom-sample.ts";
import { logBeta } from "../../core/statistics/special.ts";
import type { AccountSketch } from "./account-sketch.ts";

export interface Profile {
  readonly exchanges: number;
  readonly hoursWorked: number;
  readonly distinctInputs: number;
  /** Good-Turing: chance that the next input was never asked before. */
  readonly unseenInputs: number;
  /** Chao's lower bound of inputs there are to ask. */
  readonly richness: number;
  /** Exchanges a skeleton. */
  readonly skeletonRepetition: number;
  /** Pairs of exchanges in one cell of the space of texts, per pair: SEAT's near pairs, coarsely. */
  readonly nearPairs: number;
  readonly cells: number;
  /** 0 for a clock that never sleeps, 1 for one hour a day: 1 - entropy of the hours of the day over ln 24. */
  readonly rhythm: number;
  readonly followUpShare: number;
}

export function profileOf(sketch: AccountSketch): Profile {
  const { counts, inputs, skeletons, cells, hoursOfDay } = sketch;
  const total = Math.max(1, counts.exchanges);
  let pairs = 0;
  let used = 0;
  for (const count of cells) {
    pairs += (count * (count - 1)) / 2;
    if (count > 0) used += 1;
  }
  let entropy = 0;
  for (const count of hoursOfDay) if (count > 0) entropy -= (count / total) * Math.log(count / total);
  return {
    exchanges: counts.exchanges,
    hoursWorked: sketch.hoursWorked,
    distinctInputs: inputs.distinct(),
    unseenInputs: unseenMass(inputs, counts.exchanges),
    richness: chaoRichness(inputs),
    skeletonRepetition: counts.exchanges / Math.max(1, skeletons.distinct()),
    nearPairs: pairs / Math.max(1, (total * (total - 1)) / 2),
    cells: used,
    rhythm: 1 - entropy / Math.log(hoursOfDay.length),
    followUpShare: counts.followUps / total,
  };
}

/**
 * Cells that `exchanges` draws from a reference would touch (rarefaction, Hurlbert 1971, with replacement), and the
 * standard deviation of that number; an account far below is narrow, one far above is a survey. Null: its exchanges are
 * independent draws from the reference, which no honest account's are: compare with accounts of its kind, not with a
 * normal table.
 */
export function rarefaction(
  reference: ArrayLike<number>,
  exchanges: number,
): { readonly expected: number; readonly deviation: number } {
  let total = 0;
  for (let i = 0; i < reference.length; i += 1) total += reference[i] as number;
  let [expected, variance] = [0, 0];
  for (let i = 0; i < reference.length; i += 1) {
    const missed = (1 - (reference[i] as number) / Math.max(1, total)) ** exchanges;
    expected += 1 - missed;
    variance += missed * (1 - missed); // negative correlations between cells left out: an upper bound
  }
  return { expected, deviation: Math.sqrt(variance) };
}

/**
 * ln Bayes factor of "shows this capability more often than its kind" over "shows it as its kind does": hits of trials
 * under Beta(s m + 1, s (1 - m)) against Beta(s m, s (1 - m)), where m is the kind's share and s how closely members
 * keep to it (Dirichlet-multinomial in two classes). Its expectation under the null is 1: an e-value.
 */
export function logEnrichment(
  { hits, trials }: { readonly hits: number; readonly trials: number },
  kind: { readonly share: number; readonly strength: number },
): number {
  const a = Math.max(1e-6, kind.share * kind.strength);
  const b = Math.max(1e-6, (1 - kind.share) * kind.strength);
  return (
    logBeta(hits + a + 1, trials - hits + b) -
    logBeta(a + 1, b) -
    logBeta(hits + a, trials - hits + b) +
    logBeta(a, b)
  );
}
