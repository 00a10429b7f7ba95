// The second half of every campaign claim: are the members too alike to be independent customers?
import { logEvennessEValue } from "../../core/statistics/evenness.ts";
import { homogeneity } from "../../core/statistics/homogeneity.ts";

/** What a member asked that nobody repeated: how much, and the sums of its embeddings. */
export interface MemberTraffic {
  readonly inputs: number;
  readonly sum: readonly number[];
  readonly squares: number;
}

export interface Corroboration {
  /** p-value of "loads as uneven as those of independent customers". */
  readonly evenness: number;
  /** p-value of "each member has topics of its own". */
  readonly likeness: number;
  /** Intra-class correlation that `likeness` is about. */
  readonly between: number;
}

/** Pure. An e-value e gives the p-value 1/e (Markov). */
export function corroborate(
  members: readonly MemberTraffic[],
  options: { readonly alikeMargin: number },
): Corroboration {
  const evenness = Math.min(1, Math.exp(-logEvennessEValue(members.map((member) => member.inputs))));
  const alike = homogeneity(
    members.map(({ sum, squares, inputs }) => ({ sum, squares, count: inputs })),
    { margin: options.alikeMargin },
  );
  return { evenness, likeness: alike.pValue, between: alike.between };
}
