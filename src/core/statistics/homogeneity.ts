// Do members of a group ask about the same things, as shards of one list do, or each about its own?
import { normalUpperTail } from "./special.ts";

/** Sum of `count` vectors of one member, and the sum of their squared lengths. */
export interface MemberSum {
  readonly sum: readonly number[];
  readonly squares: number;
  readonly count: number;
}

export interface Homogeneity {
  /** (W - B) / (S - B): 0 when members are exchangeable, towards 1 when each has its own topic. */
  readonly between: number;
  readonly standardError: number;
  /** p-value of the null "between >= margin": small when members are shown to be alike. */
  readonly pValue: number;
}

/**
 * Intra-class correlation of vectors by pairs: W is the mean inner product of two vectors of one member, B of two
 * vectors of different members, S of a vector with itself; members weigh equally. Standard error by the jackknife over
 * members (Efron and Tibshirani 1993, ch. 11); the p-value is its normal approximation, one-sided, an equivalence
 * test: the burden of proof is on likeness. Needs four members with two vectors or more; else the p-value is 1.
 */
export function homogeneity(
  members: readonly MemberSum[],
  options: { readonly margin: number },
): Homogeneity {
  const usable = members.filter((member) => member.count >= 2);
  if (usable.length < 4) return { between: Number.NaN, standardError: Number.NaN, pValue: 1 };
  const facts = usable.map(factsOf);
  const dimensions = usable[0]?.sum.length ?? 0;
  const total = new Float64Array(dimensions);
  for (const fact of facts)
    for (let d = 0; d < dimensions; d += 1) total[d] = (total[d] ?? 0) + (fact.mean[d] ?? 0);
  const all = { within: 0, self: 0, meanSquares: 0 };
  for (const fact of facts) {
    all.within += fact.within;
    all.self += fact.self;
    all.meanSquares += fact.meanSquare;
  }
  const between = ratio(total, all, facts.length);
  const left: number[] = [];
  const without = new Float64Array(dimensions);
  for (const fact of facts) {
    for (let d = 0; d < dimensions; d += 1) without[d] = (total[d] ?? 0) - (fact.mean[d] ?? 0);
    const rest = {
      within: all.within - fact.within,
      self: all.self - fact.self,
      meanSquares: all.meanSquares - fact.meanSquare,
    };
    left.push(ratio(without, rest, facts.length - 1));
  }
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const spread = left.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const standardError = Math.sqrt(((left.length - 1) / left.length) * spread);
  const z = (options.margin - between) / Math.max(standardError, 1e-9);
  return { between, standardError, pValue: normalUpperTail(z) };
}

interface MemberFacts {
  readonly mean: readonly number[];
  readonly meanSquare: number;
  readonly within: number;
  readonly self: number;
}

function factsOf(member: MemberSum): MemberFacts {
  const { count } = member;
  let square = 0;
  for (const value of member.sum) square += value * value;
  return {
    mean: member.sum.map((value) => value / count),
    meanSquare: square / (count * count),
    within: (square - member.squares) / (count * (count - 1)),
    self: member.squares / count,
  };
}

function ratio(
  total: Float64Array,
  all: { readonly within: number; readonly self: number; readonly meanSquares: number },
  members: number,
): number {
  let square = 0;
  for (const value of total) square += value * value;
  const between = (square - all.meanSquares) / (members * (members - 1));
  const within = all.within / members;
  const self = all.self / members;
  return (within - between) / Math.max(self - between, 1e-9);
}
