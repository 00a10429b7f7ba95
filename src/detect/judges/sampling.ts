// Judges who draws many answers to each of many prompts: the spread of a model's answers is worth more than one of them.
import { UnionFind } from "../union-find.ts";

/** A row of the query: one account with its prompts of which many answers were drawn at one sitting, by anybody. */
export interface SamplingUse {
  readonly account: string;
  /** Prompts, answers that this account drew of each, and the hour since the epoch in which it began: in parallel. */
  readonly prompts: readonly string[];
  readonly samples: readonly number[];
  readonly hours: readonly number[];
  readonly tokens: number;
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
  /** Prompts of which a few answers were drawn; never more than prompts of which many were. */
  readonly shallow: number;
  /** Accounts that draw more than one answer to several prompts: what the error bound stands on. */
  readonly able: number;
}

export interface SamplingParameters {
  /** Prompts of all accounts together, and hours in which one of them was begun, from which it is a method. */
  readonly minPrompts: number;
  readonly minHours: number;
  /** Prompts that two accounts must share to be one sampler, and the share of either's prompts that this must be. */
  readonly minOwnPrompts: number;
  readonly minShare: number;
}

export interface Sampling {
  readonly accounts: readonly string[];
  readonly prompts: number;
  readonly samples: number;
  readonly hours: number;
  readonly tokens: number;
  readonly clean: number;
  readonly exemplars: readonly string[];
  readonly sinceMs: number;
}

/** What more accounts ask on one day is a greeting or an exercise, and links nobody. */
const MAX_SHARERS = 200;

/**
 * Accounts that drew from the same prompts at the same sitting are one sampler, if these are most of their prompts:
 * two evaluations of one benchmark have some in common when they run on the same day. An evaluation draws as many, and ends;
 * a product's prompts come again; a button to try again is pressed now and then. Carlini et al. 2021 (arXiv 2012.07805)
 * and Nasr et al. 2023 (arXiv 2311.17035) draw hundreds of answers from the same prefixes. Pure.
 */
export function judgeSampling(rows: readonly SamplingUse[], parameters: SamplingParameters): Sampling[] {
  const found = groupsOf(rows, parameters)
    .map(samplingOf)
    .filter(({ prompts, hours }) => prompts >= parameters.minPrompts && hours >= parameters.minHours);
  const guilty = found.reduce((count, one) => count + one.accounts.length, 0);
  const clean = Math.max(0, Math.max(0, ...rows.map((row) => row.able)) - guilty);
  return found
    .map((one) => ({ ...one, clean }))
    .sort((a, b) => b.samples - a.samples || (a.accounts[0] ?? "").localeCompare(b.accounts[0] ?? ""));
}

function groupsOf(
  rows: readonly SamplingUse[],
  { minOwnPrompts, minShare }: SamplingParameters,
): SamplingUse[][] {
  const users = new Map<string, number[]>();
  rows.forEach((row, at) => {
    for (const prompt of row.prompts) users.set(prompt, [...(users.get(prompt) ?? []), at]);
  });
  const shared = new Map<string, number>();
  const union = new UnionFind(rows.length);
  for (const accounts of users.values()) {
    if (accounts.length > MAX_SHARERS) continue;
    for (const [place, at] of accounts.entries()) {
      for (const other of accounts.slice(0, place)) {
        const pair = `${other} ${at}`;
        const count = (shared.get(pair) ?? 0) + 1;
        shared.set(pair, count);
        const most = Math.max(rows[other]?.prompts.length ?? 0, rows[at]?.prompts.length ?? 0);
        if (count >= minOwnPrompts && count >= minShare * most) union.join(other, at);
      }
    }
  }
  return [...Map.groupBy(rows, (_, at) => union.find(at)).values()];
}

function samplingOf(uses: readonly SamplingUse[]): Omit<Sampling, "clean"> {
  return {
    accounts: uses.map((use) => use.account).sort(),
    prompts: new Set(uses.flatMap((use) => use.prompts)).size,
    samples: uses.reduce((sum, use) => sum + use.samples.reduce((own, drawn) => own + drawn, 0), 0),
    hours: new Set(uses.flatMap((use) => use.hours)).size,
    tokens: uses.reduce((sum, use) => sum + use.tokens, 0),
    exemplars: uses.flatMap((use) => use.exemplars).slice(0, 5),
    sinceMs: Math.min(...uses.map((use) => use.sinceMs)),
  };
}
