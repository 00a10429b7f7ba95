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
import { corroborate } from "./corroboration.ts";
import {
  type TurnParameters,
  turnsOf,
  type Visitor,
  WATCHED,
  watchedGroups,
  withTurns,
} from "./turn-takers.ts";
import {
  type FamilyParameters,
  familiesOf,
  inputsOf,
  speakersOf,
  type WordingCount,
} from "./wording-families.ts";

/** A row of the sample: one account's use of one suspect wording. */
export interface WordingUse {
  readonly affix: string;
  /** The hash of the account's name that `WordingCount.users` has. */
  readonly user: number;
  readonly account: string;
  readonly uses: number;
  readonly inputs: number;
  readonly sinceMs: number;
  /** Of its last use. */
  readonly untilMs: number;
  /** Of its private inputs. */
  readonly sum: readonly number[];
  readonly squares: number;
}

/** A row of the visits: when a user of a suspect wording came, whatever it asked. */
export interface WordingVisitor extends Visitor {
  readonly user: number;
}

/** A row of the members: a private user of a claimed wording. */
export interface WordingMember extends FamilyMember {
  readonly affix: string;
}

/** `minAccounts` is how many must share a wording for it to be judged. */
export interface WordingParameters extends TurnParameters, FamilyParameters {
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
  /** Accounts in standing claims. */
  readonly accused: ReadonlySet<string>;
  /** p-value below which a wording is left out of the null fit. */
  readonly setAside: number;
  /** p-value at which a further wording of a family brings its users in. */
  readonly memberLevel: number;
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
  /** p-value of "its users come independently of each other", and the share of the others between two visits of one. */
  readonly turns: number;
  readonly betweenVisits: number;
  /**
   * Intersection-union: popularity must fall, and either topics of their own or independent beginnings; 1 where the rates
   * veto. Or independent visits must (Bonferroni, weighted).
   */
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

/** Users of a wording that say enough about it: of more, every second is left out, and again, until no more are left. */
export const WHOLE_USERS = 512;
/** Users that must have come back to a wording for its users to be compared with those of others: fewer claim nothing. */
export const MIN_PERSISTENT = 2;

/** What the counts alone say of all families of wordings. */
export interface Survey {
  /** Families that can be claimed: those whose users come back more than chance explains, or mostly. */
  readonly suspects: readonly Suspect[];
  /** Families that were tested. */
  readonly tested: number;
  /** Beginnings of the persistent users of all families, ascending. */
  readonly everybodyMs: readonly number[];
}

export interface Suspect {
  /** Most private inputs first. */
  readonly wordings: readonly WordingCount[];
  /** Whether it is tested for turns. */
  readonly isWatched: boolean;
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
  const speakers = speakersOf(leaders, parameters);
  const shapes = parameters.hourLevels.map((_, level) => {
    const groups = speakers.map((speaker) => thinned(countAt(speaker, level), seedOf(speaker)));
    return [fitRobust(groups, parameters), fitLowerPart(groups)];
  });
  const tested = families.filter(([leader]) => (leader?.sharers ?? 0) >= parameters.minAccounts);
  const tails = tested.map(([leader]) => (leader === undefined ? [1] : tailsOf(leader, shapes)));
  const persistence = tails.map(smallestOf);
  const adjusted = adjustedPValues(persistence);
  const watched = watchedGroups(
    tested.filter(([leader]) => leader !== undefined && mayTakeTurns(leader)),
    ([leader]) => (leader === undefined ? 0 : inputsOf(leader)),
  );
  const suspects = tested.flatMap((wordings, index): Suspect[] => {
    // Without turns a family's p-value is at least its persistence, and Benjamini-Hochberg is monotone: what persistence
    // alone does not carry can't be claimed.
    const isWatched = watched.has(wordings);
    if ((adjusted[index] ?? 1) > parameters.level && !isWatched) return [];
    const standing = wordings.filter(
      (wording, at) => at === 0 || smallestOf(tailsOf(wording, shapes)) <= parameters.memberLevel,
    );
    const own = tails[index] ?? [1];
    return [
      {
        wordings,
        isWatched,
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

/** Whoever is dealt a list in turn comes back as soon as the others: most users of the wording have. */
function mayTakeTurns({ hits, sharers }: WordingCount): boolean {
  return 2 * (hits[0] ?? 0) >= sharers;
}

/** Users whose visits the second half needs. */
export function visitorsOf({ suspects }: Survey): number[] {
  return [...new Set(suspects.flatMap((suspect) => (suspect.isWatched ? watchedUsers(suspect) : [])))];
}

function watchedUsers({ wordings: [leader] }: Suspect): readonly number[] {
  return leader?.users.slice(0, WATCHED) ?? [];
}

/** The second half: judges the suspects by what a part of their users asked, and when; most likely first. Pure. */
export async function judgeWordings(
  survey: Survey,
  rows: { readonly sample: readonly WordingUse[]; readonly visitors: readonly WordingVisitor[] },
  parameters: WordingParameters,
): Promise<JudgedFamily[]> {
  const usesOf = Map.groupBy(rows.sample, (use) => use.affix);
  const visitorOf = new Map(rows.visitors.map((visitor) => [visitor.user, visitor]));
  const watched = survey.suspects.filter(({ isWatched }) => isWatched).length;
  const judged: Omit<JudgedFamily, "adjusted">[] = [];
  for (const suspect of survey.suspects)
    judged.push(await judgeFamily(suspect, { usesOf, visitorOf, survey, watched, parameters }));
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

async function judgeFamily(
  suspect: Suspect,
  context: {
    readonly usesOf: ReadonlyMap<string, readonly WordingUse[]>;
    readonly visitorOf: ReadonlyMap<number, WordingVisitor>;
    readonly survey: Survey;
    /** Families that are tested for turns. */
    readonly watched: number;
    readonly parameters: WordingParameters;
  },
): Promise<Omit<JudgedFamily, "adjusted">> {
  const { usesOf, visitorOf, survey, watched, parameters } = context;
  const [leader] = suspect.wordings;
  const sampled = new Set(leader?.users);
  const privateUsers = (usesOf.get(leader?.affix ?? "") ?? []).filter(
    (use) => sampled.has(use.user) && isPrivateUser(use, parameters),
  );
  const { likeness, between } = corroborate(privateUsers, parameters);
  const loadOdds = rateOddsOf(privateUsers, parameters);
  const start = sharedStart(leader?.startsMs ?? [], survey.everybodyMs, parameters.startHours).pValue;
  const { persistence, level } = suspect;
  const persistentAndAlike = Math.max(persistence, smallestOf([likeness, start]));
  const visitors = suspect.isWatched
    ? watchedUsers(suspect).flatMap((user) => visitorOf.get(user) ?? [])
    : [];
  const turns = await turnsOf(visitors, { ...parameters, watched });
  return {
    persistence,
    likeness,
    between,
    start,
    loadOdds,
    turns: turns.pValue,
    betweenVisits: turns.between,
    // Evenness proves nothing (a scheduled job loads unrelated customers evenly too), but its absence vetoes: customers
    // of a new or popular tool ask alike or begin together, and while a store is young they don't repeat themselves.
    pValue: withTurns([loadOdds < parameters.minLoadOdds ? 1 : persistentAndAlike], turns.pValue, {
      watched,
      tested: survey.tested,
    }),
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
function rateOddsOf(users: readonly WordingUse[], { nowMs, accused }: WordingParameters): number {
  const loads = users.map(({ account, inputs, sinceMs, untilMs }) => ({
    count: inputs - 1,
    // Whom a standing claim accuses a measure may have stopped.
    exposure: ((accused.has(account) ? untilMs : nowMs) - sinceMs) / HOUR_MS,
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
