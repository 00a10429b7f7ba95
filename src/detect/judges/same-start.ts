// Finds accounts that are too alike in what they ask and how, and judges by what did not find them: starts and loads.
import { logEvennessEValue } from "../../core/statistics/evenness.ts";
import { leaderClusters, type NoisyPoint } from "../../core/statistics/leader-clusters.ts";
import { adjustedPValues, smallestOf } from "../../core/statistics/multiple-testing.ts";
import { sharedStart } from "../../core/statistics/shared-start.ts";
import { EMBEDDING_LENGTH } from "../features/embedding.ts";

/** A row of the query: an account that works through a list. All of it adds up, so that groups are sums. */
export interface ListWorker {
  readonly account: string;
  /** Keyed hash; "0" where none is declared. */
  readonly organization: string;
  readonly inputs: number;
  readonly hours: number;
  readonly sinceMs: number;
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

export interface SameStartParameters {
  /** Inputs that every row has at least (the query's threshold): loads are even or uneven above it. */
  readonly minInputs: number;
  readonly minAccounts: number;
  /** Distance from a group's centre, in typical deviations of list workers. */
  readonly radius: number;
  /** Weight of squared distances of texts beside those of shape. */
  readonly textWeight: number;
  /** Lengths of the windows in which members may have begun together, hours. */
  readonly startHours: readonly number[];
  readonly minLoadOdds: number;
}

export interface Cohort {
  /** Whom the claim is about: those who began together, or all where only the loads speak. */
  readonly members: readonly ListWorker[];
  readonly size: number;
  /** p-value of "members began independently of each other, as other list workers do". */
  readonly start: number;
  readonly fromMs: number;
  readonly startHours: number;
  /** p-value of "loads as uneven as those of independent customers". */
  readonly evenness: number;
  readonly loadOdds: number;
  /** Mean self-similarity of what a member asks: small when it asks about everything. */
  readonly selfSimilarity: number;
  readonly pValue: number;
  readonly adjusted: number;
}

const PASSES = 4;
/** Keeps a scale above zero where list workers hardly differ; in units of the logarithms. */
const LEAST_SCALE = 0.1;
const LEAST_SIMILARITY = 0.02;

/** Cohorts that were judged, most likely first. Pure. */
export function judgeStarts(rows: readonly ListWorker[], parameters: SameStartParameters): Cohort[] {
  const units = unitsOf(rows);
  const cohorts = leaderClusters(pointsOf(units, parameters), { radius: parameters.radius, passes: PASSES })
    .filter((group) => group.length >= parameters.minAccounts)
    .map((group) => judgeCohort(units, group, parameters));
  const adjusted = adjustedPValues(cohorts.map((cohort) => cohort.pValue));
  return cohorts
    .map((cohort, index) => ({ ...cohort, adjusted: adjusted[index] ?? 1 }))
    .sort((a, b) => a.pValue - b.pValue || nameOf(a).localeCompare(nameOf(b)));
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

/** Mean inner product of two different inputs, 0 for nothing in common to 1 for the same; unbiased. */
function selfSimilarityOf({ sum, squares, inputs }: ListWorker): number {
  let square = 0;
  for (const value of sum) square += value * value;
  return (square - squares) / Math.max(1, inputs * (inputs - 1)) / EMBEDDING_LENGTH ** 2;
}

/** Shape (five numbers in robust units of all list workers) beside mean text: distances add up over both. */
function pointsOf(rows: readonly ListWorker[], parameters: SameStartParameters): NoisyPoint[] {
  const shapes = rows.map((row) => [
    row.askedMean,
    row.askedSpread,
    row.answeredMean,
    row.answeredSpread,
    Math.log(Math.max(selfSimilarityOf(row), LEAST_SIMILARITY)),
  ]);
  const scales = (shapes[0] ?? []).map((_, d) => scaleOf(shapes.map((shape) => shape[d] ?? 0)));
  const text = Math.sqrt(parameters.textWeight);
  return rows.map((row, index) => {
    const shape = shapes[index] ?? [];
    return {
      vector: [
        ...shape.map((value, d) => value / ((scales[d] ?? 1) * Math.sqrt(shape.length))),
        ...row.sum.map((value) => (text * value) / (row.inputs * EMBEDDING_LENGTH)),
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

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function judgeCohort(
  rows: readonly ListWorker[],
  group: readonly number[],
  parameters: SameStartParameters,
): Omit<Cohort, "adjusted"> {
  const inside = new Set(group);
  const members = group.map((index) => rows[index]).filter((row) => row !== undefined);
  const others = rows.filter((_, index) => !inside.has(index)).map((row) => row.sinceMs);
  const start = sharedStart(
    members.map((row) => row.sinceMs),
    others,
    parameters.startHours,
  );
  const evenness = Math.min(1, 1 / loadOddsOf(members, parameters));
  const together = start.members.map((index) => members[index]).filter((row) => row !== undefined);
  const accused = start.pValue <= evenness ? together : members;
  const loadOdds = loadOddsOf(accused, parameters);
  const vetoed = loadOdds < parameters.minLoadOdds || accused.length < parameters.minAccounts;
  return {
    members: accused,
    size: members.length,
    start: start.pValue,
    fromMs: start.fromMs,
    startHours: start.hours,
    evenness,
    loadOdds,
    selfSimilarity: accused.reduce((sum, row) => sum + selfSimilarityOf(row), 0) / accused.length,
    pValue: vetoed ? 1 : smallestOf([start.pValue, evenness]),
  };
}

/** Loads count from the threshold on: what every list worker has by definition is no evidence of evenness. */
function loadOddsOf(rows: readonly ListWorker[], parameters: SameStartParameters): number {
  const above = rows.map((row) => Math.max(1, row.inputs - parameters.minInputs + 1));
  return Math.exp(Math.min(700, logEvennessEValue(above)));
}
