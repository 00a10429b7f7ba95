// What a finding's graph shows: the busiest of its accounts as lanes over time, and the facts that set them apart.
import {
  SELECT_FACT_HOLDERS,
  SELECT_LANE_MARKS,
  SELECT_SHARED_FACTS,
} from "../store/queries/finding-graph.ts";
import type { Store } from "../store/store.ts";
import { bucketSecondsOf, figuresOf, LIMITS, MAX_NAMED, membersOf } from "./analysis.ts";
import {
  type FindingGraph,
  GRAPH_BUCKETS_MAX,
  GRAPH_FACT_KINDS,
  GRAPH_FACTS_MAX,
  GRAPH_LANES_MAX,
  type GraphFact,
  type GraphFactKind,
  type GraphLane,
  type GraphMark,
} from "./contract/finding-graph.ts";
import { isoTime } from "./http.ts";

/** Exchanges of an account that are searched for shared facts, newest first: enough for any template to recur. */
const ROWS_SEARCHED = 2_000;
/** Facts of one kind whose holders are counted, and that are shown: the many hashes of one template must not fill the list. */
const CANDIDATES_PER_KIND = 6;
const SHOWN_PER_KIND = 3;
/** A fact that is less than this many times as frequent inside as outside links nobody. */
const MIN_LIFT = 2;

interface Candidate {
  readonly kind: GraphFactKind;
  readonly hash: string;
  readonly alike: number;
}

interface HolderRow {
  readonly kind: GraphFactKind | "";
  readonly hash: string;
  readonly members: number;
  readonly others: number;
  readonly lanes: readonly string[];
}

/** What of a finding the graph is about. */
interface Drawable {
  readonly accounts: readonly string[];
  readonly timeMs: number;
  readonly firstMs?: number;
}

/** The graph of accounts that act as one. Without any exchange in the store it has no lanes. */
export async function graphOf(store: Store, finding: Drawable): Promise<FindingGraph> {
  const members = finding.accounts.slice(0, MAX_NAMED);
  const figures = await figuresOf(store, members);
  const { firstMs, lastMs } = figures;
  const bucketSeconds = bucketSecondsOf(figures);
  const bucketMs = bucketSeconds * 1000;
  const common = {
    bucketSeconds,
    raisedAt: isoTime(finding.firstMs ?? finding.timeMs),
    accounts: finding.accounts.length,
  };
  if (firstMs === null || lastMs === null)
    return { ...common, from: common.raisedAt, buckets: 0, active: 0, lanes: [], facts: [] };
  const first = Math.trunc(firstMs / bucketMs);
  const lanes = await lanesOf(store, members, { first, bucketMs });
  const drawn = lanes.map(({ account }) => account);
  const { active, facts } = await factsOf(store, { members, drawn, fromMs: firstMs, untilMs: lastMs + 1 });
  const buckets = Math.trunc(lastMs / bucketMs) - first + 1;
  return { ...common, from: isoTime(first * bucketMs), buckets, active, lanes, facts };
}

async function lanesOf(
  store: Store,
  members: readonly string[],
  { first, bucketMs }: { readonly first: number; readonly bucketMs: number },
): Promise<GraphLane[]> {
  const busiest = await membersOf(store, members, GRAPH_LANES_MAX);
  const rows = await store.query<{ account: string; bucket: number; exchanges: number }>(
    SELECT_LANE_MARKS,
    {
      accounts: busiest.map(({ account }) => account),
      bucketMs,
      limit: GRAPH_LANES_MAX * GRAPH_BUCKETS_MAX,
    },
    LIMITS,
  );
  const marks = Map.groupBy(rows, ({ account }) => account);
  const lanes = busiest.flatMap(({ account, exchanges, firstAt, lastAt }) => {
    if (firstAt === null || lastAt === null) return [];
    const own = (marks.get(account) ?? []).map((row): GraphMark => [row.bucket - first, row.exchanges]);
    // What came in between the two questions may lie beyond the figures' ends.
    return [{ account, exchanges, firstAt, lastAt, marks: own.filter(([bucket]) => bucket >= 0) }];
  });
  return lanes.sort((a, b) => a.firstAt.localeCompare(b.firstAt) || a.account.localeCompare(b.account));
}

async function factsOf(
  store: Store,
  question: {
    readonly members: readonly string[];
    readonly drawn: readonly string[];
    readonly fromMs: number;
    readonly untilMs: number;
  },
): Promise<Pick<FindingGraph, "active" | "facts">> {
  const { members, drawn } = question;
  const candidates = await store.query<Candidate>(
    SELECT_SHARED_FACTS,
    { accounts: drawn, rows: ROWS_SEARCHED, perKind: CANDIDATES_PER_KIND },
    LIMITS,
  );
  const hashes = (kind: GraphFactKind): bigint[] =>
    candidates.filter((one) => one.kind === kind).map(({ hash }) => BigInt(hash));
  const asked = Object.fromEntries(GRAPH_FACT_KINDS.map((kind) => [kind, hashes(kind)]));
  const rows = await store.query<HolderRow>(SELECT_FACT_HOLDERS, { ...question, ...asked }, LIMITS);
  const everybody = rows.find(({ kind }) => kind === "");
  const outside = everybody?.others ?? 0;
  const lane = new Map(drawn.map((account, index) => [account, index]));
  const alike = new Map(candidates.map((one) => [`${one.kind}:${one.hash}`, one.alike - 1]));
  const judged = rows.flatMap(({ kind, hash, members: inside, others, lanes }) => {
    if (kind === "" || inside < 2) return [];
    const fact: GraphFact = {
      kind,
      hash,
      alike: alike.get(`${kind}:${hash}`) ?? 0,
      members: inside,
      others,
      lanes: lanes.flatMap((account) => lane.get(account) ?? []).sort((a, b) => a - b),
    };
    const within = { having: inside, all: members.length };
    const without = { having: others, all: Math.max(outside, others) };
    if (share(within) < MIN_LIFT * share(without)) return [];
    return [{ fact, weight: inside * Math.log(liftOf(within, without)) }];
  });
  const facts = judged
    .sort((a, b) => b.weight - a.weight || a.fact.hash.localeCompare(b.fact.hash))
    .map(({ fact }) => fact)
    .filter((fact, index, all) => all.slice(0, index).filter(sameKind(fact)).length < SHOWN_PER_KIND)
    .slice(0, GRAPH_FACTS_MAX);
  return { active: everybody?.members ?? 0, facts };
}

const sameKind =
  (fact: GraphFact) =>
  (other: GraphFact): boolean =>
    other.kind === fact.kind;

/** Of all accounts, how many have a fact. */
interface Counted {
  readonly having: number;
  readonly all: number;
}

function share({ having, all }: Counted): number {
  return all === 0 ? 0 : having / all;
}

/** How many times as frequent a fact is within as without; half a count added to each, so that none is infinite. */
function liftOf(within: Counted, without: Counted): number {
  const smoothed = ({ having, all }: Counted): number => (having + 0.5) / (all + 1);
  return smoothed(within) / smoothed(without);
}
