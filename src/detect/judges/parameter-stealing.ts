// Judges sweeps of token biases over one prompt: the published way to read the output layer of a model.
import { UnionFind } from "../union-find.ts";

/** A row of the query: one account's biased requests with one prompt prefix, and what all accounts did with it. */
export interface BiasUse {
  readonly prefix: string;
  readonly model: string;
  /** Different sets of biased tokens, different tokens, biases in all: over all accounts. */
  readonly sets: number;
  readonly tokens: number;
  readonly biased: number;
  readonly top: number;
  readonly account: string;
  readonly queries: number;
  readonly ownSets: number;
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
}

export interface SweepParameters {
  /** Different bias sets on one prefix from which it is a sweep. */
  readonly minSets: number;
  /** Different tokens revealed on one prefix from which it is a sweep. */
  readonly minTokens: number;
  /** Share of biased tokens that must be new: a sweep does not ask twice. */
  readonly minNewShare: number;
  /** Width of the model's last hidden layer, where no better is known. */
  readonly hiddenSize: number;
}

export interface Sweep {
  readonly accounts: readonly string[];
  readonly prefixes: readonly string[];
  readonly queries: number;
  /** Most tokens revealed on one prefix: linear equations about one column of the projection. */
  readonly tokens: number;
  /** Upper bound of the rank that the revealed scores can have: min(prefixes, tokens, hidden size). */
  readonly rank: number;
  /** Tokens as a share of the hidden size: at 1 the hidden state of a prefix can be solved for. */
  readonly progress: number;
  /** Accounts that use token biases and are in no sweep: what the error bound stands on. */
  readonly clean: number;
  readonly exemplars: readonly string[];
  readonly sinceMs: number;
}

/**
 * Prefixes with a sweep, joined where the same accounts swept them. An account takes part when it sent more than one
 * set of its own. Carlini et al. 2024 (arXiv 2403.06634) and Finlayson et al. 2024 (arXiv 2403.09539) describe the
 * attack; r queries on one prefix give at most r × (tokens a query) equations. Pure.
 */
export function judgeSweeps(rows: readonly BiasUse[], parameters: SweepParameters): Sweep[] {
  const swept = rows.filter(
    (row) =>
      row.sets >= parameters.minSets &&
      row.tokens >= parameters.minTokens &&
      row.tokens >= parameters.minNewShare * row.biased,
  );
  const taking = swept.filter((row) => row.ownSets > 1);
  const prefixes = [...new Set(taking.map((row) => row.prefix))];
  const union = new UnionFind(prefixes.length);
  for (const uses of Map.groupBy(taking, (row) => row.account).values()) {
    for (const use of uses) union.join(prefixes.indexOf(use.prefix), prefixes.indexOf(uses[0]?.prefix ?? ""));
  }
  const guilty = new Set(taking.map((row) => row.account));
  const clean = new Set(rows.map((row) => row.account).filter((account) => !guilty.has(account))).size;
  const groups = Map.groupBy(taking, (row) => union.find(prefixes.indexOf(row.prefix)));
  return [...groups.values()].map((uses) => sweepOf(uses, clean, parameters));
}

function sweepOf(uses: readonly BiasUse[], clean: number, parameters: SweepParameters): Sweep {
  const prefixes = [...new Set(uses.map((use) => use.prefix))].sort();
  const tokens = Math.max(...uses.map((use) => use.tokens));
  return {
    accounts: [...new Set(uses.map((use) => use.account))].sort(),
    prefixes,
    queries: uses.reduce((sum, use) => sum + use.queries, 0),
    tokens,
    rank: Math.min(prefixes.length, tokens, parameters.hiddenSize),
    progress: tokens / parameters.hiddenSize,
    clean,
    exemplars: uses.flatMap((use) => use.exemplars).slice(0, 5),
    sinceMs: Math.min(...uses.map((use) => use.sinceMs)),
  };
}
