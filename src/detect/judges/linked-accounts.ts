// Links accounts by rare shared facts, and judges each cluster as one: more list-workers than any honest cluster has?
import { UndirectedGraph } from "graphology";
import louvainModule from "graphology-communities-louvain";
import { fitRobust, fittedUpperTail, NO_FIT } from "../../core/statistics/beta-binomial.ts";
import { adjustedPValues, smallestOf } from "../../core/statistics/multiple-testing.ts";
import { sharedStart } from "../../core/statistics/shared-start.ts";
import { type Corroboration, corroborate } from "./corroboration.ts";

// The package is CommonJS and its types describe an ES module: at run time the import is the function itself.
const louvain = louvainModule as unknown as typeof louvainModule.default;

/** A row of the query: an account with what could link it, and the list it works through, if any. */
export interface LinkableAccount {
  readonly account: string;
  /** Keyed hashes; "0" where unknown. */
  readonly payment: string;
  readonly organization: string;
  readonly domain: string;
  readonly ips: readonly string[];
  readonly wording: string;
  readonly inputs: number;
  readonly hours: number;
  readonly sinceMs: number;
}

/** A row of the follow-up: what a list worker asked under the wording of its list. */
export interface ListTraffic {
  readonly account: string;
  readonly inputs: number;
  readonly sum: readonly number[];
  readonly squares: number;
  readonly exemplars: readonly string[];
}

export interface LinkParameters {
  /** A fact shared by a larger share of all accounts links nobody. */
  readonly maxShare: number;
  /** Weight, in nats of surprise, from which two accounts are linked. */
  readonly minWeight: number;
  readonly minAccounts: number;
  /** Hours over which an account must work through its list; each level is tested and paid for. */
  readonly hourLevels: readonly number[];
  readonly alikeMargin: number;
  /** Windows in which list workers may have begun together, hours. */
  readonly startHours: readonly number[];
  readonly setAside: number;
  /** Declared false discovery rate. */
  readonly level: number;
}

/** What links and hours alone say. */
export interface LinkSurvey {
  /** Clusters with more list workers than chance explains. */
  readonly suspects: readonly SuspectCluster[];
  /** Clusters that were tested. */
  readonly tested: number;
}

export interface SuspectCluster {
  readonly accounts: readonly string[];
  readonly workers: readonly LinkableAccount[];
  /** The kinds of facts that hold it together, with how many accounts share each. */
  readonly links: readonly string[];
  readonly persistence: number;
  /** Hours over which its workers work. */
  readonly level: number;
  /** p-value of "its workers began independently of each other, as other list workers do". */
  readonly start: number;
}

export interface LinkedCluster extends Corroboration, SuspectCluster {
  /** Persistence must fall, and one of beginnings, evenness and likeness (Bonferroni over these). */
  readonly pValue: number;
  readonly adjusted: number;
  readonly exemplars: readonly string[];
}

interface Fact {
  readonly kind: string;
  readonly accounts: readonly number[];
}

/**
 * The first half: clusters the accounts, fits the null to all clusters, and says which are worth a look. Deterministic:
 * nodes in order of name, a fixed random sequence.
 */
export function surveyLinks(rows: readonly LinkableAccount[], parameters: LinkParameters): LinkSurvey {
  const facts = factsOf(rows, parameters);
  const clusters = clustersOf(rows, facts, parameters);
  if (clusters.length === 0) return { suspects: [], tested: 0 };
  const linked = new Set(clusters.flat());
  const shapes = parameters.hourLevels.map((level) =>
    fitRobust(
      [
        ...clusters.map((cluster) => ({ hits: countWorkers(rows, cluster, level), size: cluster.length })),
        ...rows.flatMap((row, index) =>
          linked.has(index) ? [] : [{ hits: row.hours >= level ? 1 : 0, size: 1 }],
        ),
      ],
      parameters,
    ),
  );
  const tails = clusters.map((cluster) =>
    parameters.hourLevels.map((level, at) =>
      fittedUpperTail(
        { hits: countWorkers(rows, cluster, level), size: cluster.length },
        shapes[at] ?? NO_FIT,
      ),
    ),
  );
  const persistence = tails.map(smallestOf);
  const adjusted = adjustedPValues(persistence);
  const factsBy = Map.groupBy(
    facts.flatMap((fact) => fact.accounts.map((account) => ({ account, fact }))),
    ({ account }) => account,
  );
  const beginningsMs = parameters.hourLevels.map((level) =>
    rows
      .filter((row) => row.hours >= level)
      .map((row) => row.sinceMs)
      .sort((a, b) => a - b),
  );
  const suspects = clusters.flatMap((cluster, index): SuspectCluster[] => {
    // A cluster's p-value is at least its persistence: what persistence alone does not carry can't be claimed.
    if ((adjusted[index] ?? 1) > parameters.level) return [];
    const own = tails[index] ?? [1];
    const at = own.indexOf(Math.min(...own));
    const level = parameters.hourLevels[at] ?? 0;
    const members = cluster.flatMap((member) => rows[member] ?? []);
    const workers = members.filter((row) => row.hours >= level);
    const shared = cluster.flatMap((member) => factsBy.get(member)?.map(({ fact }) => fact) ?? []);
    return [
      {
        accounts: members.map((row) => row.account),
        workers,
        links: linksOf(shared),
        persistence: persistence[index] ?? 1,
        level,
        start: sharedStart(
          workers.map((row) => row.sinceMs),
          beginningsMs[at] ?? [],
          parameters.startHours,
        ).pValue,
      },
    ];
  });
  return { suspects, tested: clusters.length };
}

/** The second half: judges the suspects by what their workers asked; most likely first. Pure. */
export function judgeLinks(
  survey: LinkSurvey,
  traffic: readonly ListTraffic[],
  parameters: LinkParameters,
): LinkedCluster[] {
  const trafficOf = new Map(traffic.map((row) => [row.account, row]));
  const judged = survey.suspects.map((suspect) => {
    const asked = suspect.workers.flatMap(({ account }) => trafficOf.get(account) ?? []);
    const alike = corroborate(asked, parameters);
    return {
      ...suspect,
      ...alike,
      exemplars: asked.flatMap(({ exemplars }) => exemplars),
      pValue: Math.max(suspect.persistence, smallestOf([suspect.start, alike.evenness, alike.likeness])),
    };
  });
  const unseen = Array.from({ length: survey.tested - judged.length }, () => 1);
  const adjusted = adjustedPValues([...judged.map((one) => one.pValue), ...unseen]);
  return judged
    .map((one, index) => ({ ...one, adjusted: adjusted[index] ?? 1 }))
    .sort((a, b) => a.pValue - b.pValue || (a.accounts[0] ?? "").localeCompare(b.accounts[0] ?? ""));
}

/** @param held every fact of every member: one that several hold is there as often */
function linksOf(held: readonly Fact[]): string[] {
  const shared = [...Map.groupBy(held, (fact) => fact).values()].flatMap(([fact, ...others]) =>
    fact === undefined || others.length === 0 ? [] : [fact],
  );
  return [...Map.groupBy(shared, (fact) => fact.kind)].map(
    ([kind, list]) =>
      `${list.length} × ${kind}, shared by up to ${list.reduce((most, fact) => Math.max(most, fact.accounts.length), 0)}`,
  );
}

function countWorkers(rows: readonly LinkableAccount[], cluster: readonly number[], level: number): number {
  return cluster.filter((index) => (rows[index]?.hours ?? 0) >= level).length;
}

function factsOf(rows: readonly LinkableAccount[], parameters: LinkParameters): Fact[] {
  const holders = new Map<string, number[]>();
  const add = (kind: string, value: string, index: number): void => {
    if (value === "0" || value === "") return;
    const key = `${kind}:${value}`;
    const known = holders.get(key);
    if (known === undefined) holders.set(key, [index]);
    else known.push(index);
  };
  rows.forEach((row, index) => {
    add("payment", row.payment, index);
    add("organization", row.organization, index);
    add("domain", row.domain, index);
    for (const ip of row.ips) add("address", ip, index);
  });
  const most = Math.max(parameters.minAccounts, parameters.maxShare * rows.length);
  return [...holders.entries()]
    .filter(([, accounts]) => accounts.length >= 2 && accounts.length <= most)
    .map(([key, accounts]) => ({ kind: key.slice(0, key.indexOf(":")), accounts }));
}

/** Communities (Louvain, Blondel et al. 2008) of the graph whose edges weigh ln(N/k) for each fact that k accounts share. */
function clustersOf(
  rows: readonly LinkableAccount[],
  facts: readonly Fact[],
  parameters: LinkParameters,
): number[][] {
  const graph = new UndirectedGraph();
  for (const fact of facts) {
    const weight = Math.log(rows.length / fact.accounts.length);
    // A chain over the holders links them all; a clique of thousands would not fit.
    const near = fact.accounts.length <= 50 ? fact.accounts.length : 2;
    fact.accounts.forEach((a, at) => {
      graph.mergeNode(String(a));
      for (const b of fact.accounts.slice(at + 1, at + near)) {
        graph.mergeNode(String(b));
        if (graph.hasEdge(a, b)) graph.updateEdgeAttribute(a, b, "weight", (old: number) => old + weight);
        else graph.addEdge(a, b, { weight });
      }
    });
  }
  graph.forEachEdge((edge, attributes) => {
    if ((attributes["weight"] as number) < parameters.minWeight) graph.dropEdge(edge);
  });
  if (graph.size === 0) return [];
  const communities = louvain(graph, { getEdgeWeight: "weight", rng: sequence(), randomWalk: false });
  const groups = Map.groupBy(Object.entries(communities), ([, community]) => community);
  return [...groups.values()]
    .map((group) => group.map(([node]) => Number(node)).sort((a, b) => a - b))
    .filter((group) => group.length >= parameters.minAccounts);
}

/** The same "random" numbers in every run (a linear congruential generator): clustering must be repeatable. */
function sequence(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
