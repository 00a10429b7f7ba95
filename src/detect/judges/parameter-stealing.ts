// Judges who reads the output layer of a model: token biases rotated over prompts, bisected scores, long score lists.
import { UnionFind } from "../union-find.ts";

/** A row of the query: one account's probing requests with one prompt prefix, and what all accounts did with it. */
export interface BiasUse {
  readonly prefix: string;
  readonly model: string;
  /** Different biases (tokens and values), different biased tokens, and biased tokens in all: over all accounts. */
  readonly sets: number;
  readonly tokens: number;
  readonly biased: number;
  /** Longest list of log-probabilities, biased tokens that could be in such lists, and requests without a list. */
  readonly top: number;
  readonly listed: number;
  readonly compared: number;
  readonly account: string;
  readonly queries: number;
  readonly ownSets: number;
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
  /** Accounts that use token biases or long lists at all. */
  readonly users: number;
}

export interface SweepParameters {
  /** Different biases on one prefix, with mostly new tokens, from which it is a sweep. */
  readonly minSets: number;
  /** Different biased tokens on one prefix from which it is a sweep. */
  readonly minTokens: number;
  /** Share of biased tokens that must be new: a sweep does not ask twice. */
  readonly minNewShare: number;
  /** Different biases on one prefix from which it is a bisection, whatever the tokens. */
  readonly minValues: number;
  /** Biases beyond the first of each prefix, and their mean a prefix, from which many prefixes together are swept. */
  readonly minSpreadSets: number;
  readonly minSetsAPrefix: number;
  /** Independent logit vectors from which they are being collected. */
  readonly minRank: number;
  /** Width of the model's last hidden layer, by its name. */
  readonly hiddenSizeOf: (model: string) => number;
}

export interface Sweep {
  readonly model: string;
  readonly accounts: readonly string[];
  readonly prefixes: readonly string[];
  readonly queries: number;
  /** Most scores revealed on one prefix: linear equations about one hidden state. */
  readonly tokens: number;
  /** Scores revealed in all. */
  readonly scores: number;
  /** Upper bound of the rank of what was revealed: r prefixes with at least r scores each. */
  readonly rank: number;
  readonly hiddenSize: number;
  /** The larger of rank and of scores on one prefix, against the hidden size: how far the nearest published route is. */
  readonly progress: number;
  /** Other accounts that use token biases or long lists: what the error bound stands on. */
  readonly clean: number;
  readonly exemplars: readonly string[];
  readonly sinceMs: number;
}

/** Requests that it takes to bisect one score by the value of its bias: 2^16 steps over its range. */
const QUERIES_A_BISECTION = 16;

/**
 * Groups of accounts that probe the same prefixes of one model, if a prefix is swept or bisected, if many prefixes
 * together are swept, or if the rank of what was revealed says so. Accused is who sent more than one bias.
 *
 * Carlini et al. 2024 (arXiv 2403.06634): logit vectors of a model lie in a subspace of the hidden size h; n of them,
 * each known on at least n tokens, have rank min(n, h), and beyond h the layer is known up to a rotation. Finlayson et
 * al. 2024 (arXiv 2403.09539) read the same from lists of log-probabilities. Short lists alone reveal rank at most
 * their length. Pure.
 */
export function judgeSweeps(rows: readonly BiasUse[], parameters: SweepParameters): Sweep[] {
  const groups = groupsOf(rows).map((uses) => ({ uses, probing: probingUses(uses, parameters) }));
  const guilty = new Set(groups.flatMap(({ probing }) => probing.map((use) => use.account)));
  const users = Math.max(0, ...rows.map((row) => row.users));
  return groups
    .filter(({ probing }) => probing.length > 0)
    .map(({ probing }) => sweepOf(probing, Math.max(0, users - guilty.size), parameters));
}

/** Uses of one model, joined where accounts share a prefix. */
function groupsOf(rows: readonly BiasUse[]): BiasUse[][] {
  return [...Map.groupBy(rows, (row) => row.model).values()].flatMap((uses) => {
    const accounts = [...new Set(uses.map((use) => use.account))];
    const place = new Map(accounts.map((account, index) => [account, index]));
    const union = new UnionFind(accounts.length);
    const at = (use: BiasUse | undefined): number => place.get(use?.account ?? "") ?? 0;
    for (const sharing of Map.groupBy(uses, (use) => use.prefix).values()) {
      for (const use of sharing) union.join(at(use), at(sharing[0]));
    }
    return [...Map.groupBy(uses, (use) => union.find(at(use))).values()];
  });
}

/** The uses that make the group a probe; none when it is not one. */
function probingUses(uses: readonly BiasUse[], parameters: SweepParameters): BiasUse[] {
  const prefixes = onePerPrefix(uses);
  const swept = new Set(prefixes.filter((use) => isProbed(use, parameters)).map((use) => use.prefix));
  if (rankOf(prefixes) >= parameters.minRank) {
    for (const use of prefixes) if (revealedBy(use) >= parameters.minRank) swept.add(use.prefix);
  }
  const several = prefixes.filter((use) => use.sets > 1);
  const isSpread = sum(several, (use) => use.sets - 1) >= parameters.minSpreadSets;
  const isDeep = sum(several, (use) => use.sets) >= parameters.minSetsAPrefix * several.length;
  const isNew =
    sum(several, (use) => use.tokens) >= parameters.minNewShare * sum(several, (use) => use.biased);
  if (isSpread && isDeep && isNew) for (const use of several) swept.add(use.prefix);
  const taking = uses.filter((use) => swept.has(use.prefix));
  const own = new Map<string, number>();
  for (const use of taking) own.set(use.account, (own.get(use.account) ?? 0) + use.ownSets);
  return taking.filter((use) => (own.get(use.account) ?? 0) > 1);
}

function isProbed(use: BiasUse, parameters: SweepParameters): boolean {
  const { sets, tokens, biased } = use;
  const isSwept =
    sets >= parameters.minSets && tokens >= parameters.minTokens && tokens >= parameters.minNewShare * biased;
  return isSwept || sets >= parameters.minValues;
}

/** Scores that are known of one prefix: listed ones, and bisected ones where there is no list. */
function revealedBy(use: BiasUse): number {
  const listed = Math.min(use.tokens, use.listed);
  const bisected = Math.min(use.tokens, Math.floor(use.compared / QUERIES_A_BISECTION));
  return Math.max(use.top, listed, bisected);
}

/** Largest r with r prefixes of which at least r scores are known: no matrix of them has a larger rank. */
function rankOf(prefixes: readonly BiasUse[]): number {
  const known = prefixes.map(revealedBy).sort((a, b) => b - a);
  return known.reduce((rank, scores, index) => (scores >= index + 1 ? index + 1 : rank), 0);
}

function onePerPrefix(uses: readonly BiasUse[]): BiasUse[] {
  return [...new Map(uses.map((use) => [use.prefix, use])).values()];
}

function sum(uses: readonly BiasUse[], value: (use: BiasUse) => number): number {
  return uses.reduce((total, use) => total + value(use), 0);
}

function sweepOf(uses: readonly BiasUse[], clean: number, parameters: SweepParameters): Sweep {
  const prefixes = onePerPrefix(uses);
  const model = uses[0]?.model ?? "";
  const hiddenSize = parameters.hiddenSizeOf(model);
  const tokens = Math.max(...prefixes.map(revealedBy));
  const rank = Math.min(hiddenSize, rankOf(prefixes));
  return {
    model,
    accounts: [...new Set(uses.map((use) => use.account))].sort(),
    prefixes: prefixes.map((use) => use.prefix).sort(),
    queries: sum(uses, (use) => use.queries),
    tokens,
    scores: sum(prefixes, revealedBy),
    rank,
    hiddenSize,
    progress: Math.max(rank, tokens) / hiddenSize,
    clean,
    exemplars: uses.flatMap((use) => use.exemplars).slice(0, 5),
    sinceMs: Math.min(...uses.map((use) => use.sinceMs)),
  };
}
