// Whether the accounts of a group take turns behind one load balancer: who is watched, and what their visits say.
import { smallestOf } from "../../core/statistics/multiple-testing.ts";
import { takingTurns } from "../../core/statistics/turns.ts";
import { breather } from "../breather.ts";

/** When an account came, ms, ascending; of many visits the newest. */
export interface Visitor {
  readonly account: string;
  readonly visits: readonly number[];
}

export interface TurnParameters {
  readonly minAccounts: number;
  /** Each account's visits are moved by up to this, minutes. */
  readonly turnShiftMinutes: number;
  /** Least share of the other accounts between two visits of one. */
  readonly minBetween: number;
  /** Moves to try at most. */
  readonly maxTurnDraws: number;
  /** Visits this soon after an account's last one belong to it, minutes. */
  readonly visitMinutes: number;
  /** Visits of a group that are looked at, the newest. */
  readonly maxVisits: number;
  /** The time of the look. */
  readonly nowMs: number;
  /** Declared false discovery rate. */
  readonly level: number;
}

export interface GroupTurns {
  readonly pValue: number;
  readonly between: number;
  /** Those who take turns. */
  readonly accounts: readonly string[];
}

/** Members of a group that tell whether it takes turns: every part of a round-robin is one. */
export const WATCHED = 32;
/** Of a claim's level; the rest is for what else it may rest on. A small one only costs draws. */
const TURNS_SHARE = 0.2;
const MINUTE_MS = 60_000;

/** Groups that are tested in one look. */
const MAX_WATCHED_GROUPS = 64;

/** Of groups that may take turns those that are tested: the largest ones. What they cost has a bound. */
export function watchedGroups<Group>(
  groups: readonly Group[],
  sizeOf: (group: Group) => number,
): ReadonlySet<Group> {
  return new Set([...groups].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, MAX_WATCHED_GROUPS));
}

/** Tests one of `watched` groups. 1 where fewer than `minAccounts` take turns. */
export async function turnsOf(
  group: readonly Visitor[],
  parameters: TurnParameters & { readonly watched: number },
): Promise<GroupTurns> {
  const { minAccounts, minBetween, maxTurnDraws, watched, level } = parameters;
  const none = { pValue: 1, between: Number.NaN, accounts: [] };
  const apartMs = parameters.visitMinutes * MINUTE_MS;
  const { came: visitors, fromMs } = newest(group, parameters.maxVisits);
  const came = visitors.map(({ account, visits }) => ({ account, visits: separate(visits, apartMs) }));
  if (came.length < minAccounts) return none;
  const { pValue, between, each } = await takingTurns(
    came.map(({ visits }) => visits),
    {
      shiftMs: parameters.turnShiftMinutes * MINUTE_MS,
      fromMs,
      toMs: parameters.nowMs,
      least: minBetween,
      breathe: breather(),
      // Enough for a p-value that pays for all groups and for what else a claim may rest on.
      draws: Math.min(maxTurnDraws, Math.ceil(watched / (TURNS_SHARE * level))),
    },
  );
  const accounts = came.flatMap(({ account }, index) => ((each[index] ?? 0) >= minBetween ? [account] : []));
  return { pValue: accounts.length < minAccounts ? 1 : pValue, between, accounts };
}

/**
 * p-value of a claim that rests on turns or on one of `others`: Bonferroni by shares of the level. With `watched` of
 * `tested` groups, turns are paid for by the groups that are tested for them, which is decided without looking at any order
 * of visits: weighted Benjamini-Hochberg (Genovese, Roeder and Wasserman 2006).
 */
export function withTurns(
  others: readonly number[],
  turns: number,
  { watched, tested }: { readonly watched: number; readonly tested: number } = { watched: 1, tested: 1 },
): number {
  const inTurn = turns === 1 ? 1 : (turns * watched) / tested / TURNS_SHARE;
  return Math.min(1, smallestOf(others) / (1 - TURNS_SHARE), inTurn);
}

/** First visits of stretches without a pause of `apartMs`: samples and steps of one task are one. */
function separate(visits: readonly number[], apartMs: number): number[] {
  return visits.filter((ms, index) => index === 0 || ms - (visits[index - 1] ?? 0) >= apartMs);
}

/**
 * The newest `most` visits of all accounts together, and since when all of them are known; without accounts that have none
 * of them.
 */
function newest(
  visitors: readonly Visitor[],
  most: number,
): { readonly came: readonly Visitor[]; readonly fromMs: number } {
  const times = visitors.flatMap(({ visits }) => visits).sort((a, b) => b - a);
  // Of an account with `most` visits, earlier ones may be unknown.
  const known = visitors.map(({ visits }) => (visits.length < most ? 0 : (visits[0] ?? 0)));
  const fromMs = Math.max(times[most - 1] ?? times.at(-1) ?? 0, ...known);
  const came = visitors
    .map(({ account, visits }) => ({ account, visits: visits.filter((ms) => ms >= fromMs) }))
    .filter(({ visits }) => visits.length > 0);
  return { came, fromMs };
}
