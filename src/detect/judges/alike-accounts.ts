// Finds accounts that are too alike in what they ask and how, and judges each group: begun together, asking about
// everything, or taking turns?
import { logRateEvenness } from "../../core/statistics/evenness.ts";
import { leaderClusters, type NoisyPoint } from "../../core/statistics/leader-clusters.ts";
import { mirroredTail, tailExcess } from "../../core/statistics/mirrored-tail.ts";
import { adjustedPValues } from "../../core/statistics/multiple-testing.ts";
import { sharedStart } from "../../core/statistics/shared-start.ts";
import { breather } from "../breather.ts";
import { EMBEDDING_LENGTH } from "../features/embedding.ts";
import { isNewcomer, type Presence, withoutPassengers } from "./beginnings.ts";
import { breadthOf, logSimilarityOf, selfSimilarityOf, sureBreadthOf } from "./breadth.ts";
import {
  type TurnParameters,
  turnsOf,
  type Visitor,
  WATCHED,
  watchedGroups,
  withTurns,
} from "./turn-takers.ts";

/** A row of the query: an account that works through a list. All of it adds up, so that groups are sums. */
export interface ListWorker extends Presence {
  readonly account: string;
  /** Keyed hash; "0" where none is declared. */
  readonly organization: string;
  /** Keyed hashes of system prompts and sets of tools that it uses as often as a list has inputs at least. */
  readonly marks: readonly string[];
  /** Different inputs, and texts that the sums are over: more where an input was sampled several times. */
  readonly inputs: number;
  readonly texts: number;
  /** Hashes of the inputs with the smallest ones, ascending; of `maxSampled` inputs and fewer all. */
  readonly sample: readonly number[];
  readonly hours: number;
  /** Of its last exchange. */
  readonly untilMs: number;
  /** Means and standard deviations of the logarithm of characters asked and of tokens answered. */
  readonly askedMean: number;
  readonly askedSpread: number;
  readonly answeredMean: number;
  readonly answeredSpread: number;
  /** Sum of embeddings and of their squared lengths, in their own units. */
  readonly sum: readonly number[];
  readonly squares: number;
  readonly tokens: number;
  readonly exemplars: readonly string[];
}

export interface AlikeParameters extends TurnParameters {
  /** Inputs that every row has at least (the query's threshold): loads are even or uneven above it. */
  readonly minInputs: number;
  /** Distance from a group's centre, in typical deviations of list workers. */
  readonly radius: number;
  /** Weight of squared distances of texts beside those of shape. */
  readonly textWeight: number;
  /** Whoever is seen within so many hours of the first list worker may have worked before: when it began is unknown. */
  readonly settlingHours: number;
  /** Lengths of the windows in which members may have begun together, hours. */
  readonly startHours: readonly number[];
  readonly minLoadOdds: number;
  /** Share of different ones among the inputs of those who are accused. */
  readonly minDistinctShare: number;
  /** Inputs in a row's sample at most. */
  readonly maxSampled: number;
  /** Accounts in standing claims. */
  readonly accused: ReadonlySet<string>;
  /** Level at which accounts join those of a standing claim. */
  readonly growLevel: number;
}

export interface Cohort {
  /** Whom the claim is about: those who began together, who ask about everything, or who take turns. */
  readonly members: readonly ListWorker[];
  readonly size: number;
  /** p-value of "members began independently of each other, as other list workers do". */
  readonly start: number;
  readonly fromMs: number;
  readonly startHours: number;
  /**
   * Likelihood ratio of even rates against uneven ones. No part of the claim: people who work through texts of their
   * own carry loads more even than customers' products. A small one vetoes a common beginning.
   */
  readonly loadOdds: number;
  /** p-value of "no more accounts are as broad as the null of all list workers has beyond its limit". */
  readonly breadth: number;
  readonly broad: number;
  /** p-value of "members come independently of each other", and the share of the others between two visits of one. */
  readonly turns: number;
  readonly between: number;
  /** Mean self-similarity of what a member asks: small when it asks about everything. */
  readonly selfSimilarity: number;
  /** Share of different ones among what the members ask. */
  readonly distinctShare: number;
  readonly pValue: number;
  /** The same with turns paid for by how many groups are tested for them. */
  readonly weighted: number;
  readonly adjusted: number;
}

const HOUR_MS = 3_600_000;
const PASSES = 4;
/** Keeps a scale above zero where list workers hardly differ; in units of the logarithms. */
const LEAST_SCALE = 0.1;

/** Groups of alike accounts, before any time is looked at. */
export interface AlikeSurvey {
  /** Of accounts of one organisation the busiest. Busiest first. */
  readonly units: readonly ListWorker[];
  /** Of at least `minAccounts`. */
  readonly groups: readonly (readonly ListWorker[])[];
  /** Of the groups those that are tested for turns. */
  readonly watched: ReadonlySet<readonly ListWorker[]>;
  /** Whom the others are compared with. */
  readonly peers: readonly ListWorker[];
}

/** The first half: groups the list workers. Pure. */
export async function surveyAlike(
  rows: readonly ListWorker[],
  parameters: AlikeParameters,
): Promise<AlikeSurvey> {
  const units = unitsOf(rows);
  const clusters = await leaderClusters(pointsOf(units, parameters), {
    radius: parameters.radius,
    passes: PASSES,
    breathe: breather(),
  });
  const groups = distinct([...clusters, ...groupsByMark(units)])
    .filter((group) => group.length >= parameters.minAccounts)
    .map((group) => group.map((index) => units[index]).filter((row) => row !== undefined));
  // Whoever is dealt a list in turn has an even load.
  const even = groups.filter((group) => loadOddsOf(watchedOf(group), parameters) >= parameters.minLoadOdds);
  const watched = watchedGroups(even, (group) => group.length);
  return { units, groups, watched, peers: peersOf(units, clusters, parameters) };
}

/** Accounts whose visits the second half needs. */
export function visitorsOf({ watched }: AlikeSurvey): string[] {
  return [...new Set([...watched].flatMap((group) => watchedOf(group).map(({ account }) => account)))];
}

/** A part of the group tells whether it takes turns, the same every time: every part of a round-robin is one. */
function watchedOf(group: readonly ListWorker[]): readonly ListWorker[] {
  return [...group].sort((a, b) => (a.account < b.account ? -1 : 1)).slice(0, WATCHED);
}

/** The second half: judges the groups, most likely first. Pure. */
export async function judgeAlike(
  survey: AlikeSurvey,
  visitors: readonly Visitor[],
  parameters: AlikeParameters,
): Promise<Cohort[]> {
  const { units, groups, watched, peers } = survey;
  const visitorOf = new Map(visitors.map((visitor) => [visitor.account, visitor]));
  const firstMs = units.reduce((least, row) => Math.min(least, row.sinceMs), Number.POSITIVE_INFINITY);
  const hasKnownStart = (row: ListWorker): boolean => isNewcomer(row, { ...parameters, firstMs });
  const isAccused = ({ account }: ListWorker): boolean => parameters.accused.has(account);
  const { limit } = mirroredTail(peers.map(breadthOf));
  const startsOf = (workers: readonly ListWorker[]): number[] =>
    inOrder(workers.filter(hasKnownStart).map((row) => row.sinceMs));
  // Whom a standing claim accuses began when its campaign did: no standard for when the others begin.
  const others = peers.filter((row) => !isAccused(row));
  const othersMs = startsOf(others);
  const standard = new Set(others);
  const cohorts: Omit<Cohort, "adjusted">[] = [];
  for (const members of groups) {
    const silent = members.filter((row) => !standard.has(row));
    const context = {
      everybodyMs: inOrder([...othersMs, ...startsOf(silent)]),
      unaccusedMs: inOrder([...othersMs, ...startsOf(silent.filter((row) => !isAccused(row)))]),
      hasKnownStart,
      isAccused,
      limit,
      units: units.length,
      peers: peers.length,
      visitorOf,
      tested: groups.length,
      watched: watched.size,
      isWatched: watched.has(members),
    };
    cohorts.push(await judgeCohort(members, { ...context, parameters }));
  }
  const adjusted = adjustedPValues(cohorts.map((cohort) => cohort.weighted));
  return cohorts
    .map((cohort, index) => ({ ...cohort, adjusted: adjusted[index] ?? 1 }))
    .sort((a, b) => a.pValue - b.pValue || nameOf(a).localeCompare(nameOf(b)));
}

/** No group speaks for more than this share of the list workers: a large campaign must not become the standard. */
const MAX_GROUP_SHARE = 0.2;

/** Users of one system prompt, or of one set of tools: alike by what no text of theirs shows. */
function groupsByMark(units: readonly ListWorker[]): number[][] {
  const users = new Map<string, number[]>();
  units.forEach(({ marks }, index) => {
    for (const mark of marks) {
      const known = users.get(mark);
      if (known === undefined) users.set(mark, [index]);
      else known.push(index);
    }
  });
  return [...users].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** A group that two likenesses make is one group, tested once. */
function distinct(groups: readonly (readonly number[])[]): (readonly number[])[] {
  const seen = new Map(groups.map((group) => [[...group].sort((a, b) => a - b).join(), group]));
  return [...seen.values()];
}

/** Whom the others are compared with: all list workers, of each large group as many as may speak, evenly over its loads. */
function peersOf(
  units: readonly ListWorker[],
  groups: readonly (readonly number[])[],
  { minAccounts }: AlikeParameters,
): ListWorker[] {
  const most = Math.max(minAccounts, Math.ceil(MAX_GROUP_SHARE * units.length));
  const silent = new Set<number>();
  for (const group of groups) {
    const step = group.length / most;
    if (step <= 1) continue;
    const speaking = new Set(Array.from({ length: most }, (_, turn) => group[Math.floor(turn * step)]));
    for (const index of group) if (!speaking.has(index)) silent.add(index);
  }
  return units.filter((_, index) => !silent.has(index));
}

function nameOf(cohort: Omit<Cohort, "adjusted">): string {
  return cohort.members[0]?.account ?? "";
}

/** Accounts of one declared organisation are openly one customer: one unit, spoken for by its busiest. Busiest first. */
function unitsOf(rows: readonly ListWorker[]): ListWorker[] {
  const units: ListWorker[] = [];
  const organizations = new Set<string>();
  const order = [...rows].sort((a, b) => b.inputs - a.inputs || a.account.localeCompare(b.account));
  for (const row of order) {
    if (row.organization !== "0" && organizations.has(row.organization)) continue;
    organizations.add(row.organization);
    units.push(row);
  }
  return units;
}

/** Shape (five numbers in robust units of all list workers) beside mean text: distances add up over both. */
function pointsOf(rows: readonly ListWorker[], parameters: AlikeParameters): NoisyPoint[] {
  const shapes = rows.map((row) => [
    row.askedMean,
    row.askedSpread,
    row.answeredMean,
    row.answeredSpread,
    logSimilarityOf(row),
  ]);
  const scales = (shapes[0] ?? []).map((_, d) => scaleOf(shapes.map((shape) => shape[d] ?? 0)));
  const text = Math.sqrt(parameters.textWeight);
  return rows.map((row, index) => {
    const shape = shapes[index] ?? [];
    return {
      vector: [
        ...shape.map((value, d) => value / ((scales[d] ?? 1) * Math.sqrt(shape.length))),
        ...row.sum.map((value) => (text * value) / (row.texts * EMBEDDING_LENGTH)),
      ],
      noise: (parameters.textWeight * (1 - selfSimilarityOf(row))) / row.inputs,
    };
  });
}

/** Median absolute deviation in units of a normal standard deviation: half of the rows may be anything. */
function scaleOf(values: readonly number[]): number {
  const middle = median(values);
  return 1.4826 * median(values.map((value) => Math.abs(value - middle))) + LEAST_SCALE;
}

function inOrder(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return inOrder(values)[values.length >> 1] ?? 0;
}

/** p-value of a common beginning from which having begun then makes up for a breadth that few inputs leave unsure. */
const BEGUN_LEVEL = 0.01;

/** What all groups are judged against. */
interface CohortContext {
  /** Known beginnings of members and peers, ascending. */
  readonly everybodyMs: readonly number[];
  /** The same without whom a standing claim accuses. */
  readonly unaccusedMs: readonly number[];
  readonly hasKnownStart: (row: ListWorker) => boolean;
  readonly isAccused: (row: ListWorker) => boolean;
  /** Breadth beyond which few honest list workers lie, of how many, and from how many peers it was estimated. */
  readonly limit: number;
  readonly units: number;
  readonly peers: number;
  readonly visitorOf: ReadonlyMap<string, Visitor>;
  /** How many groups are tested, how many of them for turns, and whether this one is. */
  readonly tested: number;
  readonly watched: number;
  readonly isWatched: boolean;
  readonly parameters: AlikeParameters;
}

async function judgeCohort(
  members: readonly ListWorker[],
  context: CohortContext,
): Promise<Omit<Cohort, "adjusted">> {
  const { everybodyMs, hasKnownStart, limit, units, peers, parameters } = context;
  const known = members.filter(hasKnownStart);
  const start = sharedStart(
    known.map((row) => row.sinceMs),
    everybodyMs,
    parameters.startHours,
  );
  const together = withoutPassengers(
    start.members.map((index) => known[index]).filter((row) => row !== undefined),
    { ...context, known, window: start, level: parameters.growLevel },
  );
  const broad = members.filter((row) => breadthOf(row) > limit);
  const breadth = tailExcess(broad.length, { of: units, estimatedFrom: peers });
  const loadOdds = loadOddsOf(together, parameters);
  // Loads clearly as uneven as those of customers speak against one hand that started them; breadth is not about loads.
  const begun =
    loadOdds < parameters.minLoadOdds || together.length < parameters.minAccounts ? 1 : start.pValue;
  // An honest account may be beyond the limit by the noise of a few inputs: accused are those that are surely beyond, or
  // began with the others.
  const alsoBegun = new Set(start.pValue <= BEGUN_LEVEL ? together : []);
  const surelyBroad = broad.filter((row) => sureBreadthOf(row) > limit || alsoBegun.has(row));
  const wide = surelyBroad.length < parameters.minAccounts ? 1 : breadth;
  const visitors = context.isWatched
    ? watchedOf(members).flatMap(({ account }) => context.visitorOf.get(account) ?? [])
    : [];
  const turns = await turnsOf(visitors, { ...parameters, ...context });
  const takers = new Set(turns.accounts);
  const accused =
    withTurns([1], turns.pValue, context) < withTurns([begun, wide], 1)
      ? members.filter(({ account }) => takers.has(account))
      : begun <= wide
        ? together
        : surelyBroad;
  const distinctShare = distinctShareOf(accused, parameters.maxSampled);
  // Who asks the same as the others takes nothing that they don't have: a class, or users of one benchmark.
  const isSame = distinctShare < parameters.minDistinctShare;
  return {
    members: accused,
    size: members.length,
    start: start.pValue,
    fromMs: start.fromMs,
    startHours: start.hours,
    loadOdds,
    breadth,
    broad: broad.length,
    turns: turns.pValue,
    between: turns.between,
    selfSimilarity:
      accused.reduce((sum, row) => sum + selfSimilarityOf(row), 0) / Math.max(1, accused.length),
    distinctShare,
    pValue: isSame ? 1 : withTurns([begun, wide], turns.pValue),
    weighted: isSame ? 1 : withTurns([begun, wide], turns.pValue, context),
  };
}

/**
 * Of all inputs of the rows, how many are different: told by the inputs below the hash up to which every row's are
 * known (coordinated bottom-k samples: Cohen and Kaplan 2007). 0 for no rows.
 */
function distinctShareOf(rows: readonly ListWorker[], maxSampled: number): number {
  const known = rows.reduce(
    (least, { sample }) => (sample.length < maxSampled ? least : Math.min(least, sample.at(-1) ?? 0)),
    Number.POSITIVE_INFINITY,
  );
  const asked = rows.flatMap(({ sample }) => sample.filter((hash) => hash <= known));
  return new Set(asked).size / Math.max(1, asked.length);
}

/** Loads count from the threshold on: what every list worker has by definition is no evidence of evenness. */
function loadOddsOf(rows: readonly ListWorker[], { minInputs, nowMs, accused }: AlikeParameters): number {
  const loads = rows.map(({ account, inputs, sinceMs, untilMs }) => ({
    count: Math.max(0, inputs - minInputs),
    // Whom a standing claim accuses a measure may have stopped.
    exposure: ((accused.has(account) ? untilMs : nowMs) - sinceMs) / HOUR_MS,
  }));
  return Math.exp(Math.min(700, logRateEvenness(loads)));
}
