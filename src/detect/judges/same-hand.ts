// Groups campaigns that one hand may deal: several wordings, different accounts, but the same start, pace and matter.
import { kolmogorovSmirnov } from "../../core/statistics/kolmogorov.ts";
import { UnionFind } from "../union-find.ts";
import type { WordingFamily } from "./shared-wording.ts";

export interface SameHandParameters {
  /** p-value above which starts, and loads, count as equal. */
  readonly sameLevel: number;
  /** Least cosine of what two families ask about. */
  readonly sameMatter: number;
}

/**
 * Families in groups. This accuses nobody: every family given stands on its own. It only says which may belong
 * together, because a template dealt to each account (and not to each request) splits one campaign into many. Wrong
 * groups are possible: not rejecting equality is weak evidence for it.
 */
export function groupSameHand(
  families: readonly WordingFamily[],
  parameters: SameHandParameters,
): WordingFamily[][] {
  const union = new UnionFind(families.length);
  families.forEach((family, index) => {
    families.slice(0, index).forEach((other, otherIndex) => {
      if (isSameHand(family, other, parameters)) union.join(otherIndex, index);
    });
  });
  return [...Map.groupBy(families, (_, index) => union.find(index)).values()];
}

function isSameHand(a: WordingFamily, b: WordingFamily, parameters: SameHandParameters): boolean {
  const equal = (of: (member: WordingFamily["members"][number]) => number): boolean =>
    kolmogorovSmirnov(a.members.map(of), b.members.map(of)) >= parameters.sameLevel;
  return (
    cosine(a.matter, b.matter) >= parameters.sameMatter &&
    equal((member) => member.sinceMs) &&
    equal((member) => member.inputs)
  );
}

function cosine(a: readonly number[], b: readonly number[]): number {
  let [inner, first, second] = [0, 0, 0];
  a.forEach((value, d) => {
    inner += value * (b[d] ?? 0);
    first += value * value;
    second += (b[d] ?? 0) ** 2;
  });
  return inner / Math.max(Math.sqrt(first * second), 1e-9);
}
