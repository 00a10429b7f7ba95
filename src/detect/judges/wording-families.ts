// Which wordings belong together: those of one template have the same users, and those of one campaign overlap.
import { countBelow } from "../../core/statistics/ordered.ts";
import { similarSets } from "../similar-sets.ts";
import { UnionFind } from "../union-find.ts";

/**
 * A row of the survey: what a wording that several accounts share is counted by. An input is private when its account
 * asked it at one sitting only; a user is private when nearly all it sends under the wording is, and persistent when it
 * does so over hours.
 */
export interface WordingCount {
  readonly affix: string;
  /** How often its users were halved before they were counted: all counts are those of a random part of 1 in 2^halvings. */
  readonly halvings: number;
  readonly sharers: number;
  /** Private inputs of all of them. */
  readonly inputs: number;
  /** Persistent users by `hourLevels`. */
  readonly hits: readonly number[];
  /** Equal for equal sets of private users. */
  readonly fingerprint: string;
  /** Hashes of private users, ascending: the SKETCH_SIZE smallest, a random part of many. Empty where fewer than MIN_PERSISTENT came back. */
  readonly users: readonly number[];
  /** When those began who came back to it. */
  readonly startsMs: readonly number[];
}

export interface FamilyParameters {
  /** Accounts that must share a wording for it to be judged. */
  readonly minAccounts: number;
  /** Wordings whose private users overlap at least this much (Jaccard) are one family. */
  readonly familyOverlap: number;
  /** A family of whose private users at least this share are another's is left out of the null fit. */
  readonly kinOverlap: number;
}

/** Members of a set of users that are enough to tell how much it has in common with another. */
export const SKETCH_SIZE = 128;
/** Values that the hash of a user's name can have. */
const HASHES = 2 ** 32;

/**
 * Wordings of one template (its opening, its closing, its variants) have the same users: they are judged together.
 * Wordings that nobody comes back to are joined only where their users are exactly the same: there are many of them,
 * they can't be claimed, and for the fit of the null it is enough that they are counted once. The wording with the most
 * private inputs comes first and speaks for its family: chosen without looking at any p-value.
 */
export function familiesOf(
  counts: readonly WordingCount[],
  { familyOverlap }: Pick<FamilyParameters, "familyOverlap">,
): WordingCount[][] {
  const union = new UnionFind(counts.length);
  const equal = Map.groupBy(counts.keys(), (index) => counts[index]?.fingerprint ?? "");
  for (const [first, ...others] of equal.values()) {
    for (const other of others) union.join(first ?? other, other);
  }
  // Equal sets of users need one comparison; some wording of a set may have been come back to where another was not.
  const compared = [...equal.values()].flatMap((indices) => {
    const found = indices.find((index) => (counts[index]?.users.length ?? 0) > 0);
    return found === undefined ? [] : [found];
  });
  const at = (index: number): number => compared[index] ?? 0;
  const pairs = similarSets(
    compared.map((index) => counts[index]?.users ?? []),
    {
      least: familyOverlap,
      limit: SKETCH_SIZE,
      bounds: compared.map((index) => countedBelow(counts[index])),
      isKnown: (a, b) => union.find(at(a)) === union.find(at(b)),
    },
  );
  for (const [a, b] of pairs) union.join(at(a), at(b));
  const families = [...Map.groupBy(counts, (_, index) => union.find(index)).values()];
  return families.map((family) => family.sort((a, b) => inputsOf(b) - inputsOf(a)));
}

/** Private inputs of all users, as far as those that were counted tell. */
export function inputsOf({ inputs, halvings }: WordingCount): number {
  return inputs * 2 ** halvings;
}

/**
 * For the fit of the null: a family of which most users are users of one with more private inputs doesn't speak. A
 * campaign that deals its list under dozens of templates would otherwise be dozens of groups in the null, each with a
 * part of its accounts, and hide itself. Families that nobody came back to have no users here and all speak; so do those
 * with fewer private users than a wording needs to be judged, who are a few people with habits in common.
 */
export function speakersOf(
  leaders: readonly WordingCount[],
  { kinOverlap, minAccounts }: Pick<FamilyParameters, "kinOverlap" | "minAccounts">,
): WordingCount[] {
  const order = [...leaders].sort((a, b) => inputsOf(b) - inputsOf(a) || a.affix.localeCompare(b.affix));
  const speaking = new Map<number, WordingCount[]>();
  return order.filter((family) => {
    if (family.users.length < minAccounts) return true;
    const shared = new Map<WordingCount, number>();
    for (const user of family.users)
      for (const speaker of speaking.get(user) ?? []) shared.set(speaker, (shared.get(speaker) ?? 0) + 1);
    for (const [speaker, common] of shared)
      if (common >= kinOverlap * countBelow(family.users, knownBelow(speaker))) return false;
    for (const user of family.users) speaking.set(user, [...(speaking.get(user) ?? []), family]);
    return true;
  });
}

/** Users with hashes from here on were left out of all counts. */
function countedBelow(count: WordingCount | undefined): number {
  return HASHES / 2 ** (count?.halvings ?? 0);
}

/** Users with hashes from here on are not in the sketch. */
function knownBelow(count: WordingCount): number {
  const last = count.users.length < SKETCH_SIZE ? undefined : count.users.at(-1);
  return Math.min(countedBelow(count), last === undefined ? HASHES : last + 1);
}
