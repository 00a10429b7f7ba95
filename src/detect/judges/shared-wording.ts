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
import { generator } from "../../core/statistics/generator.ts";
import { adjustedPValues, smallestOf } from "../../core/statistics/multiple-testing.ts";
import { sharedStart } from "../../core/statistics/shared-start.ts";
import { similarSets } from "../similar-sets.ts";
import { UnionFind } from "../union-find.ts";
import { corroborate } from "./corroboration.ts";

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

/** A row of the sample: one account's use of one suspect wording. */
export interface WordingUse {
  readonly affix: string;
  /** The hash of the account's name that `WordingCount.users` has. */
  readonly user: number;
  readonly uses: number;
  readonly inputs: number;
  readonly sinceMs: number;
  /** Of its private inputs. */
  readonly sum: readonly number[];
  readonly squares: number;
}

/** A row of the members: a private user of a claimed wording. */
export interface WordingMember extends FamilyMember {
  readonly affix: string;
}

export interface WordingParameters {
  /** The time of the look. */
  readonly nowMs: number;
  /** Accounts that must share a wording for it to be judged. */
  readonly minAccounts: number;
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
  /** Declared false discovery rate. */
  readonly level: number;
  /** Wordings whose private users overlap at least this much (Jaccard) are one family. */
  readonly familyOverlap: number;
}

/** A family of wordings, judged. */
export interface JudgedFamily {
  readonly affixes: readonly string[];
  /** Of these, the wordings whose private users are members. */
  readonly standing: readonly string[];
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
  /** Of its leading wording, counted of 1 in 2^halvings users. */
  readonly halvings: number;
  readonly sharers: number;
  readonly persistent: number;
  readonly level: number;
  readonly inputs: number;
  readonly between: number;
  /** Sum of the embeddings of the leading wording's private inputs, of a part of its users. */
  readonly matter: readonly number[];
}

/** With the accounts that are in it. */
export interface WordingFamily extends JudgedFamily {
  readonly members: readonly FamilyMember[];
}

export interface FamilyMember {
  readonly account: string;
  readonly inputs: number;
  readonly hours: number;
  readonly sinceMs: number;
}

/** Members of a set of users that are enough to tell how much it has in common with another. */
export const SKETCH_SIZE = 128;
/** Values that the hash of a user's name can have. */
const HASHES = 2 ** 32;
/** Users of a wording that say enough about it: of more, every second is left out, and again, until no more are left. */
export const WHOLE_USERS = 512;
/** Users that must have come back to a wording for its users to be compared with those of others: fewer claim nothing. */
export const MIN_PERSISTENT = 2;

/** What the counts alone say of all families of wordings. */
export interface Survey {
  /** Families that can be claimed: those whose users come back more than chance explains. */
  readonly suspects: readonly Suspect[];
  /** Families that were tested. */
  readonly tested: number;
  /** Beginnings of the persistent users of all families, ascending. */
  readonly everybodyMs: readonly number[];
}

export interface Suspect {
  /** Most private inputs first. */
  readonly wordings: readonly WordingCount[];
  /** Wordings whose private users are members. */
  readonly standing: readonly string[];
  readonly persistence: number;
  /** Index of the level of hours that speaks loudest. */
  readonly level: number;
}

/**
 * The first half: finds families of wordings, fits the null to all of them, and says which are worth a look. Pure.
 * @param counts exclusive wordings, by affix
 */
export function surveyWordings(counts: readonly WordingCount[], parameters: WordingParameters): Survey {
  const families = familiesOf(counts, parameters);
  const leaders = families.flatMap(([leader]) => (leader === undefined ? [] : [leader]));
  const shapes = parameters.hourLevels.map((_, level) => {
    const groups = leaders.map((leader) => thinned(countAt(leader, level), seedOf(leader)));
    return [fitRobust(groups, parameters), fitLowerPart(groups)];
  });
  const tested = families.filter(([leader]) => (leader?.sharers ?? 0) >= parameters.minAccounts);
  const tails = tested.map(([leader]) => (leader === undefined ? [1] : tailsOf(leader, shapes)));
  const persistence = tails.map(smallestOf);
  const adjusted = adjustedPValues(persistence);
  const suspects = tested.flatMap((wordings, index): Suspect[] => {
    // A family's p-value is at least its persistence, and Benjamini-Hochberg is monotone: what persistence alone does
    // not carry can't be claimed.
    if ((adjusted[index] ?? 1) > parameters.level) return [];
    const standing = wordings.filter(
      (wording, at) => at === 0 || smallestOf(tailsOf(wording, shapes)) <= parameters.memberLevel,
    );
    const own = tails[index] ?? [1];
    return [
      {
        wordings,
        standing: standing.map(({ affix }) => affix),
        persistence: persistence[index] ?? 1,
        level: own.indexOf(Math.min(...own)),
      },
    ];
  });
  const everybodyMs = leaders.flatMap(({ startsMs }) => startsMs).sort((a, b) => a - b);
  return { suspects, tested: tested.length, everybodyMs };
}

/** Which uses the second half needs: of each suspect's leading wording by as many users as its sketch holds. */
export function sampleOf({ suspects }: Survey): { readonly affixes: string[]; readonly users: number[] } {
  const leaders = suspects.flatMap(({ wordings: [leader] }) => leader ?? []);
  return {
    affixes: leaders.map(({ affix }) => affix),
    users: [...new Set(leaders.flatMap(({ users }) => users))],
  };
}

/** The second half: judges the suspects by what a part of their users asked, and when; most likely first. Pure. */
export function judgeWordings(
  survey: Survey,
  sample: readonly WordingUse[],
  parameters: WordingParameters,
): JudgedFamily[] {
  const usesOf = Map.groupBy(sample, (use) => use.affix);
  const judged = survey.suspects.map((suspect) => judgeFamily(suspect, { usesOf, survey, parameters }));
  // Families that were not looked at can't be claimed: their p-values are as good as 1.
  const unseen = Array.from({ length: survey.tested - judged.length }, () => 1);
  const adjusted = adjustedPValues([...judged.map((family) => family.pValue), ...unseen]);
  return judged
    .map((family, index) => ({ ...family, adjusted: adjusted[index] ?? 1 }))
    .sort((a, b) => a.pValue - b.pValue || (a.affixes[0] ?? "").localeCompare(b.affixes[0] ?? ""));
}

/** Private users of a family's standing wordings, most private inputs first. */
export function membersOf(
  { standing }: JudgedFamily,
  usersOf: ReadonlyMap<string, readonly WordingMember[]>,
): FamilyMember[] {
  const members = new Map<string, FamilyMember>();
  for (const use of standing.flatMap((affix) => usersOf.get(affix) ?? [])) {
    const known = members.get(use.account);
    members.set(use.account, {
      account: use.account,
      inputs: Math.max(known?.inputs ?? 0, use.inputs),
      hours: Math.max(known?.hours ?? 0, use.hours),
      sinceMs: Math.min(known?.sinceMs ?? Number.POSITIVE_INFINITY, use.sinceMs),
    });
  }
  return [...members.values()].sort((a, b) => b.inputs - a.inputs || a.account.localeCompare(b.account));
}

function isPrivateUser(use: WordingUse, parameters: WordingParameters): boolean {
  return use.inputs > 0 && use.inputs >= parameters.minOwnPrivateShare * use.uses;
}

/** Members of a large group that say enough about its share: fits see a random part of it, drawn the same every time. */
const THINNED_SIZE = 64;

/** A random part of a beta-binomial group is beta-binomial with the same shape. */
function thinned({ hits, size }: GroupCount, seed: number): GroupCount {
  if (size <= THINNED_SIZE) return { hits, size };
  const random = generator(seed);
  let drawn = 0;
  for (let left = 0; left < THINNED_SIZE; left += 1) {
    if (random() * (size - left) < hits - drawn) drawn += 1;
  }
  return { hits: drawn, size: THINNED_SIZE };
}

function seedOf({ affix }: WordingCount): number {
  return Number(BigInt.asUintN(32, BigInt(affix)));
}

function countAt({ hits, sharers }: WordingCount, level: number): GroupCount {
  return { hits: hits[level] ?? 0, size: sharers };
}

/**
 * Wordings of one template (its opening, its closing, its variants) have the same users: they are judged together.
 * Wordings that nobody comes back to are joined only where their users are exactly the same: there are many of them,
 * they can't be claimed, and for the fit of the null it is enough that they are counted once. The wording with the most
 * private inputs comes first and speaks for its family: chosen without looking at any p-value.
 */
function familiesOf(counts: readonly WordingCount[], parameters: WordingParameters): WordingCount[][] {
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
      least: parameters.familyOverlap,
      limit: SKETCH_SIZE,
      bounds: compared.map((index) => HASHES / 2 ** (counts[index]?.halvings ?? 0)),
      isKnown: (a, b) => union.find(at(a)) === union.find(at(b)),
    },
  );
  for (const [a, b] of pairs) union.join(at(a), at(b));
  const families = [...Map.groupBy(counts, (_, index) => union.find(index)).values()];
  return families.map((family) => family.sort((a, b) => inputsOf(b) - inputsOf(a)));
}

/** Private inputs of all users, as far as those that were counted tell. */
function inputsOf({ inputs, halvings }: WordingCount): number {
  return inputs * 2 ** halvings;
}

function judgeFamily(
  suspect: Suspect,
  context: {
    readonly usesOf: ReadonlyMap<string, readonly WordingUse[]>;
    readonly survey: Survey;
    readonly parameters: WordingParameters;
  },
): Omit<JudgedFamily, "adjusted"> {
  const { usesOf, survey, parameters } = context;
  const [leader] = suspect.wordings;
  const sampled = new Set(leader?.users);
  const privateUsers = (usesOf.get(leader?.affix ?? "") ?? []).filter(
    (use) => sampled.has(use.user) && isPrivateUser(use, parameters),
  );
  const { likeness, between } = corroborate(privateUsers, parameters);
  const loadOdds = rateOddsOf(privateUsers, parameters);
  const start = sharedStart(leader?.startsMs ?? [], survey.everybodyMs, parameters.startHours).pValue;
  const { persistence, level } = suspect;
  return {
    persistence,
    likeness,
    between,
    start,
    loadOdds,
    // Evenness proves nothing (a scheduled job loads unrelated customers evenly too), but its absence vetoes: customers
    // of a new or popular tool ask alike or begin together, and while a store is young they don't repeat themselves.
    pValue: loadOdds < parameters.minLoadOdds ? 1 : Math.max(persistence, smallestOf([likeness, start])),
    affixes: suspect.wordings.map(({ affix }) => affix),
    standing: suspect.standing,
    halvings: leader?.halvings ?? 0,
    sharers: leader?.sharers ?? 0,
    persistent: leader?.hits[level] ?? 0,
    level: parameters.hourLevels[level] ?? 0,
    inputs: leader?.inputs ?? 0,
    matter: sumOf(privateUsers),
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
function tailsOf(wording: WordingCount, shapes: readonly (readonly RobustFit[])[]): number[] {
  return wording.hits.map((_, level) =>
    smallestOf((shapes[level] ?? [NO_FIT]).map((fit) => fittedUpperTail(countAt(wording, level), fit))),
  );
}

function sumOf(users: readonly WordingUse[]): number[] {
  const total: number[] = [];
  for (const { sum } of users) for (const [d, value] of sum.entries()) total[d] = (total[d] ?? 0) + value;
  return total;
}
