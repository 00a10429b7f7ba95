// Judges who has a model make up tasks for another one to be trained on, again and again under one template.
import { UnionFind } from "../union-find.ts";
import { type ListPart, listDividers } from "./list-dividers.ts";

/** A row of the query: what one account asked under one template. `ids` are its inputs, the template is its one wording. */
export interface TemplateUse extends ListPart {
  readonly account: string;
  /** Of the inputs, those asked at one sitting. */
  readonly once: number;
  readonly queries: number;
  readonly tokens: number;
  /** Hours since the epoch in which an input was asked for the first time. */
  readonly hours: readonly number[];
  /** Different days (UTC) of these. */
  readonly days: number;
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
}

export interface TrainingDataParameters {
  /** Inputs and hours of all accounts under one template from which it is a signature. */
  readonly minInputs: number;
  readonly minHours: number;
  /** Days on which an account must have worked under a template to count with others. */
  readonly minSharedDays: number;
  readonly minOnceShare: number;
  readonly maxOverlap: number;
}

export interface TrainingData {
  readonly accounts: readonly string[];
  /** Of its largest template. */
  readonly inputs: number;
  readonly hours: number;
  readonly queries: number;
  readonly tokens: number;
  readonly sinceMs: number;
  readonly exemplars: readonly string[];
}

/**
 * Accounts that work through inputs of their own under one template that asks for training tasks: Self-Instruct (Wang et
 * al. 2023, arXiv 2212.10560), Evol-Instruct (Xu et al. 2023, arXiv 2304.12244). Templates are published: who tries one out
 * on one day does not count with others. Templates with an account in common are one finding. Most inputs first. Pure.
 */
export function judgeTrainingData(
  rows: readonly TemplateUse[],
  parameters: TrainingDataParameters,
): TrainingData[] {
  const working = rows.filter(({ ids, once }) => once >= parameters.minOnceShare * ids.length);
  const parts = working.map((use) => (use.days < parameters.minSharedDays ? { ...use, wordings: [] } : use));
  const groups = listDividers(parts, parameters.maxOverlap).filter((uses) => {
    return inputsOf(uses) >= parameters.minInputs && hoursOf(uses) >= parameters.minHours;
  });
  return joined(groups)
    .map(foundOf)
    .sort((a, b) => b.inputs - a.inputs || (a.accounts[0] ?? "").localeCompare(b.accounts[0] ?? ""));
}

function inputsOf(uses: readonly TemplateUse[]): number {
  return new Set(uses.flatMap(({ ids }) => ids)).size;
}

function hoursOf(uses: readonly TemplateUse[]): number {
  return new Set(uses.flatMap(({ hours }) => hours)).size;
}

/** Groups with an account in common, largest group of each first. */
function joined(groups: readonly TemplateUse[][]): TemplateUse[][][] {
  const union = new UnionFind(groups.length);
  const groupOf = new Map<string, number>();
  groups.forEach((uses, at) => {
    for (const { account } of uses) {
      union.join(at, groupOf.get(account) ?? at);
      groupOf.set(account, at);
    }
  });
  return [...Map.groupBy(groups, (_, at) => union.find(at)).values()].map((family) =>
    family.sort((a, b) => inputsOf(b) - inputsOf(a)),
  );
}

function foundOf(family: readonly TemplateUse[][]): TrainingData {
  const [largest = []] = family;
  return {
    accounts: [...new Set(family.flat().map(({ account }) => account))].sort(),
    inputs: inputsOf(largest),
    hours: hoursOf(largest),
    queries: largest.reduce((sum, { queries }) => sum + queries, 0),
    tokens: largest.reduce((sum, { tokens }) => sum + tokens, 0),
    sinceMs: Math.min(...largest.map(({ sinceMs }) => sinceMs)),
    exemplars: largest.flatMap(({ exemplars }) => exemplars).slice(0, 5),
  };
}
