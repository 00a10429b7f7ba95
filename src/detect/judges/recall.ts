// Judges who asks a model for the missing parts of many texts: what it knows by heart is what it was trained on.
import { listDividers } from "./list-dividers.ts";

/** A row of the query: one account with its passages. */
export interface RecallUse {
  readonly account: string;
  /** Names of the passages, each once. */
  readonly ids: readonly string[];
  /** Different inputs with such a passage, those asked at one sitting, and requests. */
  readonly inputs: number;
  readonly once: number;
  readonly queries: number;
  /** Hours since the epoch in which a passage was asked for the first time. */
  readonly hours: readonly number[];
  /** Affixes of these inputs: what the accounts of one prober may share. */
  readonly wordings: readonly string[];
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
}

export interface RecallParameters {
  /** Passages and hours of all accounts together from which it is a probe. */
  readonly minPassages: number;
  readonly minHours: number;
  /** Share of the inputs that must have been asked at one sitting: exercises come again. */
  readonly minOnceShare: number;
  /** Share of the smaller account's passages up to which two accounts divide a list between them. */
  readonly maxOverlap: number;
}

export interface Recall {
  readonly accounts: readonly string[];
  readonly passages: number;
  readonly hours: number;
  readonly queries: number;
  readonly exemplars: readonly string[];
  readonly sinceMs: number;
}

/**
 * Accounts with a wording in common that asked for different passages are one prober; the same passages are the same
 * benchmark or exercise, run by different people, who are judged by themselves. Carlini et al. 2021 (arXiv 2012.07805) on
 * prefixes, Chang et al. 2023 (arXiv 2305.00118) on masked names. Pure.
 */
export function judgeRecall(rows: readonly RecallUse[], parameters: RecallParameters): Recall[] {
  const probing = rows.filter((row) => row.once >= parameters.minOnceShare * row.inputs);
  return listDividers(probing, parameters.maxOverlap)
    .map(recallOf)
    .filter(({ passages, hours }) => passages >= parameters.minPassages && hours >= parameters.minHours)
    .sort((a, b) => b.passages - a.passages || (a.accounts[0] ?? "").localeCompare(b.accounts[0] ?? ""));
}

function recallOf(uses: readonly RecallUse[]): Recall {
  return {
    accounts: uses.map((use) => use.account).sort(),
    passages: new Set(uses.flatMap((use) => use.ids)).size,
    hours: new Set(uses.flatMap((use) => use.hours)).size,
    queries: uses.reduce((sum, use) => sum + use.queries, 0),
    exemplars: uses.flatMap((use) => use.exemplars).slice(0, 5),
    sinceMs: Math.min(...uses.map((use) => use.sinceMs)),
  };
}
