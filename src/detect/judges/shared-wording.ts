// Judges wordings that several accounts share: popular phrase, or one list of questions dealt out to many accounts?
import {
  fitLowerPart,
  fitRobust,
  fittedUpperTail,
  type GroupCount,
  NO_FIT,
  type RobustFit,
} from "../../core/statistics/beta-binomial.ts";
import { logRateEvenness } from "../../core/statistics/evenness.ts";
import { adjustedPValues, smallestOf } from "../../core/statistics/multiple-testing.ts";
import { sharedStart } from "../../core/statistics/shared-start.ts";
import { similarSets } from "../similar-sets.ts";
import { UnionFind } from "../union-find.ts";
import { corroborate } from "./corroboration.ts";

/** A row of the query: one account's use of one wording. Its private inputs are those that it asked at one sitting only. */
export interface WordingUse {
  readonly affix: string;
  readonly account: string;
  readonly uses: number;
  readonly inputs: number;
  /** The same, an input that several accounts asked counting by its share: summed up, how many different ones there are. */
  readonly distinct: number;
  /** Different hours in which it sent private inputs. */
  readonly hours: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly sum: readonly number[];
  readonly squares: number;
}

export interface WordingParameters {
  /** The time of the look. */
  readonly nowMs: number;
  /** Accounts that must share a wording for it to be judged. */
  readonly minAccounts: number;
  /** Accounts that must share a wording for it to count in the fit of the null. */
  readonly minNullAccounts: number;
  /** Share of all uses of a wording that must be private for it to be judged. */
  readonly minPrivateShare: number;
  /** Share of its private inputs that must be different ones: a class asks the same few. */
  readonly minDistinctShare: number;
  /** Share of an account's uses that must be private for the account to count as a persistent user. */
  readonly minOwnPrivateShare: number;
  /** Levels of persistence, hours; each is tested and paid for. */
  readonly hourLevels: readonly number[];
  /** Windows in which users may have begun with the wording together, hours. */
  readonly startHours: readonly number[];
  /** Largest difference between members' topics that still counts as alike (intra-class correlation). */
  readonly alikeMargin: number;
  /** Likelihood ratio of even against uneven rates below which a claim is vetoed. */
  readonly minLoadOdds: number;
  /** p-value below which a wording is left out of the null fit. */
  readonly setAside: number;
  /** p-value at which a further wording of a family brings its users in. */
  readonly memberLevel: number;
  /** Wordings whose private users overlap at least this much (Jaccard) are one family. */
  readonly familyOverlap: number;
}

/** A family of wordings with the accounts that use them. */
export interface WordingFamily {
  readonly affixes: readonly string[];
  readonly members: readonly FamilyMember[];
  /** p-value of "independent users of a popular wording". */
  readonly persistence: number;
  /** p-value of "each member has topics of its own". */
  readonly likeness: number;
  /** p-value of "they began with the wording independently of each other". */
  readonly start: number;
  /** Likelihood ratio of even rates, from each one's beginning on, against uneven ones: a small one vetoes. */
  readonly loadOdds: number;
  /** Intersection-union: popularity must fall, and either topics of their own or independent beginnings. */
  readonly pValue: number;
  /** Benjamini-Hochberg over all families of this hunt. */
  readonly adjusted: number;
  readonly sharers: number;
  readonly persistent: number;
  readonly level: number;
  readonly inputs: number;
  readonly between: number;
  /** Sum of the embeddings of the leading wording's private inputs. */
  readonly matter: readonly number[];
}

export interface FamilyMember {
  readonly account: string;
  readonly inputs: number;
  readonly hours: number;
  readonly sinceMs: number;
}

interface Wording {
  readonly affix: string;
  readonly users: readonly WordingUse[];
  readonly counts: readonly GroupCount[];
}

/** Judges every family of exclusive wordings; most likely first. Pure. */
export function judgeWordings(rows: readonly WordingUse[], parameters: WordingParameters): WordingFamily[] {
  const wordings = exclusiveWordings(rows, parameters);
  if (wordings.length === 0) return [];
  const families = familiesOf(wordings, parameters);
  const leaders = families.map((family) => family[0]).filter((wording) => wording !== undefined);
  const shapes = parameters.hourLevels.map((_, level) => {
    const counts = leaders.map((wording) => wording.counts[level]).filter((count) => count !== undefined);
    return [fitRobust(counts, parameters), fitLowerPart(counts)];
  });
  const everybodyMs = leaders.flatMap((wording) => startsOf(wording, parameters)).sort((a, b) => a - b);
  const judged = families
    .filter((family) => (family[0]?.users.length ?? 0) >= parameters.minAccounts)
    .map((family) => judgeFamily(family, { shapes, everybodyMs, parameters }));
  const adjusted = adjustedPValues(judged.map((family) => family.pValue));
  return judged
    .map((family, index) => ({ ...family, adjusted: adjusted[index] ?? 1 }))
    .sort((a, b) => a.pValue - b.pValue || (a.affixes[0] ?? "").localeCompare(b.affixes[0] ?? ""));
}

function isPrivateUser(use: WordingUse, parameters: WordingParameters): boolean {
  return use.inputs > 0 && use.inputs >= parameters.minOwnPrivateShare * use.uses;
}

function exclusiveWordings(rows: readonly WordingUse[], parameters: WordingParameters): Wording[] {
  const byAffix = Map.groupBy(rows, (row) => row.affix);
  const wordings: Wording[] = [];
  for (const [affix, users] of byAffix) {
    const uses = users.reduce((sum, user) => sum + user.uses, 0);
    const inputs = users.reduce((sum, user) => sum + user.inputs, 0);
    const distinct = users.reduce((sum, user) => sum + user.distinct, 0);
    if (users.length < parameters.minNullAccounts || inputs < parameters.minPrivateShare * uses) continue;
    if (distinct < parameters.minDistinctShare * inputs) continue;
    const counts = parameters.hourLevels.map((level) => ({
      hits: users.filter((user) => user.hours >= level && isPrivateUser(user, parameters)).length,
      size: users.length,
    }));
    wordings.push({ affix, users, counts });
  }
  return wordings;
}

/** Users that must have come back to a wording for its users to be compared with those of others: fewer claim nothing. */
const MIN_PERSISTENT = 2;

/**
 * Wordings of one template (its opening, its closing, its variants) have the same users: they are judged together.
 * Wordings that nobody comes back to are joined only where their users are exactly the same: there are many of them,
 * they can't be claimed, and for the fit of the null it is enough that they are counted once.
 */
function familiesOf(wordings: readonly Wording[], parameters: WordingParameters): Wording[][] {
  const sets = wordings.map((wording) =>
    wording.users
      .filter((use) => isPrivateUser(use, parameters))
      .map((use) => use.account)
      .sort(),
  );
  const union = new UnionFind(wordings.length);
  const equal = Map.groupBy(sets.keys(), (index) => sets[index]?.join(" ") ?? "");
  for (const [first, ...others] of equal.values()) {
    for (const other of others) union.join(first ?? other, other);
  }
  const compared = [...equal.values()].flatMap(([first]) => {
    const hits = Math.max(0, ...(wordings[first ?? 0]?.counts.map((count) => count.hits) ?? []));
    return first === undefined || hits < MIN_PERSISTENT ? [] : [first];
  });
  const pairs = similarSets(
    compared.map((index) => sets[index] ?? []),
    parameters.familyOverlap,
  );
  for (const [a, b] of pairs) union.join(compared[a] ?? 0, compared[b] ?? 0);
  const families = [...Map.groupBy(wordings, (_, index) => union.find(index)).values()];
  return families.map((family) => family.sort((a, b) => inputsOf(b) - inputsOf(a)));
}

function inputsOf(wording: Wording): number {
  return wording.users.reduce((sum, user) => sum + user.inputs, 0);
}

/** When those who came back to a wording began with it. */
function startsOf(wording: Wording, parameters: WordingParameters): number[] {
  const least = Math.min(...parameters.hourLevels);
  return wording.users
    .filter((use) => isPrivateUser(use, parameters) && use.hours >= least)
    .map((use) => use.sinceMs);
}

/** The wording with the most private inputs speaks for its family: chosen without looking at any p-value. */
function judgeFamily(
  family: readonly Wording[],
  context: {
    /** Fits by level. */
    readonly shapes: readonly (readonly RobustFit[])[];
    /** Beginnings of the persistent users of all families, ascending. */
    readonly everybodyMs: readonly number[];
    readonly parameters: WordingParameters;
  },
): Omit<WordingFamily, "adjusted"> {
  const { shapes, everybodyMs, parameters } = context;
  const leader = family[0] ?? { affix: "", users: [], counts: [] };
  const tails = tailsOf(leader, shapes);
  const best = tails.indexOf(Math.min(...tails));
  const privateUsers = leader.users.filter((use) => isPrivateUser(use, parameters));
  const { likeness, between } = corroborate(privateUsers, parameters);
  const loadOdds = rateOddsOf(privateUsers, parameters);
  const start = sharedStart(startsOf(leader, parameters), everybodyMs, parameters.startHours).pValue;
  const persistence = smallestOf(tails);
  return {
    persistence,
    likeness,
    between,
    start,
    loadOdds,
    // Evenness proves nothing (a scheduled job loads unrelated customers evenly too), but its absence vetoes: customers
    // of a new or popular tool ask alike or begin together, and while a store is young they don't repeat themselves.
    pValue: loadOdds < parameters.minLoadOdds ? 1 : Math.max(persistence, smallestOf([likeness, start])),
    affixes: family.map((wording) => wording.affix),
    members: membersOf(family, shapes, parameters),
    sharers: leader.users.length,
    persistent: leader.counts[best]?.hits ?? 0,
    level: parameters.hourLevels[best] ?? 0,
    inputs: inputsOf(leader),
    matter: sumOf(leader.users),
  };
}

const HOUR_MS = 3_600_000;

/** The first input is what makes an account a user: counts begin after it, and so does the time. */
function rateOddsOf(users: readonly WordingUse[], { nowMs }: WordingParameters): number {
  const loads = users.map(({ inputs, sinceMs }) => ({
    count: inputs - 1,
    exposure: (nowMs - sinceMs) / HOUR_MS,
  }));
  return Math.exp(Math.min(700, logRateEvenness(loads)));
}

/**
 * p-values by level. Campaigns among the others can only make either fit heavier and its p-value larger, each at
 * another time: the smaller one counts, paid for by Bonferroni.
 */
function tailsOf(wording: Wording, shapes: readonly (readonly RobustFit[])[]): number[] {
  return wording.counts.map((count, level) =>
    smallestOf((shapes[level] ?? [NO_FIT]).map((fit) => fittedUpperTail(count, fit))),
  );
}

function sumOf(users: readonly WordingUse[]): number[] {
  const total: number[] = [];
  for (const { sum } of users) for (const [d, value] of sum.entries()) total[d] = (total[d] ?? 0) + value;
  return total;
}

/** Private users of the leader, and of those other wordings that would stand on their own. */
function membersOf(
  family: readonly Wording[],
  shapes: readonly (readonly RobustFit[])[],
  parameters: WordingParameters,
): FamilyMember[] {
  const members = new Map<string, FamilyMember>();
  const standing = family.filter(
    (wording, index) => index === 0 || smallestOf(tailsOf(wording, shapes)) <= parameters.memberLevel,
  );
  for (const wording of standing) {
    for (const use of wording.users) {
      if (use.inputs < 2 || !isPrivateUser(use, parameters)) continue;
      const known = members.get(use.account);
      members.set(use.account, {
        account: use.account,
        inputs: Math.max(known?.inputs ?? 0, use.inputs),
        hours: Math.max(known?.hours ?? 0, use.hours),
        sinceMs: Math.min(known?.sinceMs ?? Number.POSITIVE_INFINITY, use.sinceMs),
      });
    }
  }
  return [...members.values()].sort((a, b) => b.inputs - a.inputs || a.account.localeCompare(b.account));
}
