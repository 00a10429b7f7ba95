// Judges who makes the model say one word over and over: the published way to make it recite what it was trained on.

/** A row of the query: one account's answers, and those that run on one word. */
export interface RepetitionUse {
  readonly account: string;
  readonly answers: number;
  /** Different inputs whose answers ran on one word, such answers, and their tokens. */
  readonly inputs: number;
  readonly probes: number;
  readonly tokens: number;
  readonly longest: number;
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
}

export interface Divergence {
  readonly use: RepetitionUse;
  /** Accounts with as many answers as the least number of inputs that do not do it: what the bound stands on. */
  readonly clean: number;
}

/** Nasr et al. 2023 (arXiv 2311.17035) describe the attack. Most inputs first. Pure. */
export function judgeDivergence(
  rows: readonly RepetitionUse[],
  parameters: { readonly minInputs: number },
): Divergence[] {
  const able = rows.filter((row) => row.answers >= parameters.minInputs);
  const guilty = able.filter((row) => row.inputs >= parameters.minInputs);
  const clean = able.length - guilty.length;
  return guilty
    .sort((a, b) => b.inputs - a.inputs || a.account.localeCompare(b.account))
    .map((use) => ({ use, clean }));
}
