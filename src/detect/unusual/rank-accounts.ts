// Ranks accounts by how unlike their own kind they work. Kinds are learnt; nobody is accused: see docs/detection.md.
import type { GroupCount } from "../../core/statistics/beta-binomial.ts";
import { type LearntKind, learnKinds } from "../../core/statistics/kinds.ts";
import { eBenjaminiHochberg } from "../../core/statistics/multiple-testing.ts";
import { countBelow } from "../../core/statistics/ordered.ts";
import { plausibleNulls, type RateNull, rateEvidence } from "../../core/statistics/rate-evidence.ts";
import type { AccountCounts } from "../../store/queries/account-counts.ts";
import { covariatesOf } from "./covariates.ts";
import { wordsOfKind } from "./kind-words.ts";

/** What is counted, trial by trial. */
export interface Stream {
  readonly name: string;
  /** A prior over which stream betrays a harvester; they add up to 1. */
  readonly weight: number;
}

export const STREAMS: readonly Stream[] = [
  { name: "works through a list", weight: 1 / 2 },
  { name: "asks nothing again and follows nothing up", weight: 1 / 6 },
  { name: "seeks capabilities", weight: 1 / 6 },
  { name: "works when its kind rests", weight: 1 / 6 },
];

export interface Unusual {
  readonly account: string;
  /** e-value now: the weighted mean over streams. Never above 1 over the share of such accounts in its kind. */
  readonly eValue: number;
  /** Conformal p-value of the e-value among the accounts of its kind: a rank, never below 1 over their number. */
  readonly rank: number;
  /** Its kind in words, and how many accounts that has. */
  readonly kind: string;
  readonly kindAccounts: number;
  /** e-value of each stream, in the order of `STREAMS`. */
  readonly streams: readonly number[];
  readonly counts: AccountCounts;
}

export interface Ranking {
  readonly nowMs: number;
  /** Most unusual first. */
  readonly accounts: readonly Unusual[];
  readonly kinds: number;
  /** How many e-BH rejects at `level`, and the e-value that one account alone would need. */
  readonly rejected: number;
  readonly neededAlone: number;
}

export interface RankOptions {
  readonly nowMs: number;
  /** Declared false discovery rate. */
  readonly level: number;
}

/** A kind has at least so many accounts, and at least a twentieth of all: else it is a fleet's own, or nobody's. */
const KIND_ACCOUNTS = 40;
const KIND_PARTS = 20;
/** Share of a kind's variance that a cut must explain: a uniform square loses 3/8 to its best cut, a cube of six 1/8. */
const CUT_EXPLAINS = 0.15;
/** Accounts of a kind that its nulls are fitted to: evenly drawn, enough for the grid's steps. */
const FITTED_ACCOUNTS = 200;
/** Quarters of a day: a sitting, and a pause that is none. */
const QUARTER_MS = 6 * 3_600_000;
/** Four-hour blocks in which a kind rests. */
const REST_BLOCKS = 2;

/** Pure; linear in accounts but for sorting. */
export function rankAccounts(rows: readonly AccountCounts[], { nowMs, level }: RankOptions): Ranking {
  const kinds = learnKinds(rows.map(covariatesOf), {
    minMembers: Math.max(KIND_ACCOUNTS, Math.ceil(rows.length / KIND_PARTS)),
    minExplained: CUT_EXPLAINS,
  });
  const accounts = kinds
    .flatMap((kind) => rankKind(kind, rows, nowMs))
    .sort((a, b) => b.eValue - a.eValue || a.account.localeCompare(b.account));
  return {
    nowMs,
    accounts,
    kinds: kinds.length,
    rejected: eBenjaminiHochberg(
      accounts.map(({ eValue }) => eValue),
      level,
    ).length,
    neededAlone: accounts.length / level,
  };
}

/** The name of the stream that adds most to an e-value. */
export function mainStreamOf({ streams }: Pick<Unusual, "streams">): string {
  const added = STREAMS.map(({ name, weight }, at) => ({ name, value: weight * (streams[at] ?? 0) }));
  return added.reduce((most, one) => (one.value > most.value ? one : most)).name;
}

function rankKind(kind: LearntKind, rows: readonly AccountCounts[], nowMs: number): Unusual[] {
  const members = kind.members.flatMap((index) => rows[index] ?? []);
  const rest = restOf(members);
  const trials = members.map((row) => trialsOf(row, rest, nowMs));
  const streams = STREAMS.map((_, stream) => evidenceOf(trials.map((of) => of[stream] ?? NO_TRIAL)));
  const eValues = members.map((_, index) =>
    STREAMS.reduce((sum, { weight }, stream) => sum + weight * (streams[stream]?.[index] ?? 1), 0),
  );
  const ascending = Float64Array.from(eValues).sort();
  const words = wordsOfKind(kind.cuts);
  return members.map((counts, index) => {
    const eValue = eValues[index] ?? 1;
    return {
      account: counts.account,
      eValue,
      rank: (members.length - countBelow(ascending, eValue)) / members.length,
      kind: words,
      kindAccounts: members.length,
      streams: streams.map((of) => of[index] ?? 1),
      counts,
    };
  });
}

const NO_TRIAL: GroupCount = { hits: 0, size: 0 };

/** The trials of each stream that are over: what is still going on could yet become a hit or cease to be one. */
function trialsOf(row: AccountCounts, rest: readonly number[], nowMs: number): GroupCount[] {
  // The first quarter is where the account was first seen: no trial.
  const quarters = Math.max(0, Math.floor(nowMs / QUARTER_MS) - Math.floor(row.sinceMs / QUARTER_MS) - 1);
  return [
    { hits: Math.min(quarters, row.laterListQuarters), size: quarters },
    { hits: row.listHours, size: row.hours },
    { hits: row.capableHours, size: row.hours },
    { hits: rest.reduce((sum, block) => sum + (row.blocks[block] ?? 0), 0), size: row.hours },
  ];
}

/** e-values of all members for one stream: equal counts have equal ones, and most counts are equal. */
function evidenceOf(counts: readonly GroupCount[]): number[] {
  const nulls: readonly RateNull[] = plausibleNulls(evenly(counts.filter(({ size }) => size > 0)));
  const known = new Map<string, number>();
  return counts.map((count) => {
    const key = `${count.hits}/${count.size}`;
    const value = known.get(key) ?? rateEvidence(count, nulls);
    known.set(key, value);
    return value;
  });
}

/** The blocks of the day in which a kind's accounts, each of them weighing one, work least. */
function restOf(members: readonly AccountCounts[]): number[] {
  const blocks = members[0]?.blocks.map((_, block) => block) ?? [];
  const work = blocks.map((block) =>
    members.reduce((sum, row) => sum + (row.blocks[block] ?? 0) / Math.max(1, row.hours), 0),
  );
  return blocks.sort((a, b) => (work[a] ?? 0) - (work[b] ?? 0)).slice(0, REST_BLOCKS);
}

function evenly<T>(items: readonly T[]): readonly T[] {
  if (items.length <= FITTED_ACCOUNTS) return items;
  return Array.from(
    { length: FITTED_ACCOUNTS },
    (_, index) => items[Math.floor((index * items.length) / FITTED_ACCOUNTS)],
  ).filter((item) => item !== undefined);
}
