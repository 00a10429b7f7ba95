// Judges who asks for many small changes of each of many texts: how the answers change tells whether a text was trained on.
import { starRatio } from "../../core/statistics/star.ts";
import { UnionFind } from "../union-find.ts";

/** A row of the query: an account with enough inputs, some of them nearly equal. */
export interface GroupOwner {
  readonly account: string;
  /** Keys that enough of its inputs share for a group of `minVersions`. */
  readonly large: number;
}

/** A row of the follow-up: one input of an account that shares a key with other inputs of one day. */
export interface VersionUse {
  readonly account: string;
  readonly input: string;
  readonly firstMs: number;
  /** Keys that it shares with other versions (see `near-keys.ts`), and the sketch of its words. */
  readonly keys: readonly number[];
  readonly sketch: readonly number[];
  readonly exemplar: string;
  /** 1 when log-probabilities were asked for. */
  readonly scored: number;
}

export interface NeighbourhoodParameters {
  /** Versions of a text, such texts, and hours in which one of them was begun, from which it is a method. */
  readonly minVersions: number;
  readonly minGroups: number;
  readonly minHours: number;
  /** Least star ratio: below it each version follows from the one before, as drafts do. */
  readonly minStar: number;
}

export interface Neighbourhoods {
  readonly account: string;
  readonly texts: number;
  readonly versions: number;
  readonly hours: number;
  /** Share of the versions with log-probabilities. */
  readonly scored: number;
  /** Mean star ratio of the groups. */
  readonly star: number;
  readonly clean: number;
  readonly exemplars: readonly string[];
  readonly sinceMs: number;
}

const HOUR_MS = 3_600_000;

/** Accounts whose inputs are worth reading. */
export function suspectsOf(owners: readonly GroupOwner[], { minGroups }: NeighbourhoodParameters): string[] {
  return owners.filter(({ large }) => large >= minGroups).map(({ account }) => account);
}

/**
 * Mattern et al. 2023 (arXiv 2305.18462) compare a text with tens of neighbours; tests of robustness make a few
 * variants and end. Inputs that share a key are versions of one text. Pure.
 * @param able accounts with enough inputs, some of them nearly equal: what the error bound stands on
 */
export function judgeNeighbourhoods(
  rows: readonly VersionUse[],
  able: number,
  parameters: NeighbourhoodParameters,
): Neighbourhoods[] {
  const found = [...Map.groupBy(rows, (row) => row.account)]
    .map(([account, uses]) => neighbourhoodsOf(account, uses, parameters))
    .filter(({ texts, hours }) => texts >= parameters.minGroups && hours >= parameters.minHours);
  const clean = Math.max(0, able - found.length);
  return found
    .map((one) => ({ ...one, clean }))
    .sort((a, b) => b.versions - a.versions || a.account.localeCompare(b.account));
}

function neighbourhoodsOf(
  account: string,
  uses: readonly VersionUse[],
  parameters: NeighbourhoodParameters,
): Omit<Neighbourhoods, "clean"> {
  const groups = groupsOf(uses)
    .map((group) => ({ group, star: starRatio(group.map((use) => use.sketch)) }))
    .filter(({ group, star }) => group.length >= parameters.minVersions && star >= parameters.minStar);
  const versions = groups.flatMap(({ group }) => group);
  const begun = groups.map(({ group }) => group[0]?.firstMs ?? 0);
  return {
    account,
    texts: groups.length,
    versions: versions.length,
    hours: new Set(begun.map((ms) => Math.floor(ms / HOUR_MS))).size,
    scored: versions.reduce((sum, use) => sum + use.scored, 0) / Math.max(1, versions.length),
    star: groups.reduce((sum, { star }) => sum + star, 0) / Math.max(1, groups.length),
    exemplars: groups.flatMap(({ group }) => group.slice(0, 2).map((use) => use.exemplar)).slice(0, 4),
    sinceMs: begun.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY),
  };
}

/** In order of time, as the rows are. */
function groupsOf(uses: readonly VersionUse[]): VersionUse[][] {
  const union = new UnionFind(uses.length);
  const owner = new Map<number, number>();
  uses.forEach((use, at) => {
    for (const key of use.keys) {
      const known = owner.get(key);
      if (known === undefined) owner.set(key, at);
      else union.join(known, at);
    }
  });
  return [...Map.groupBy(uses, (_, at) => union.find(at)).values()];
}
