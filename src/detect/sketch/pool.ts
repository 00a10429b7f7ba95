// Reads a finding's accounts as one: their sketches pooled, beside pools of as many other accounts drawn at random.
import { conformalPValue } from "../../core/statistics/conformal.ts";
import { generator } from "../../core/statistics/generator.ts";
import { fisherDistance, type Reference, referenceOf } from "../../core/statistics/mean-embedding.ts";
import { smallestOf } from "../../core/statistics/multiple-testing.ts";
import { logSumExp } from "../../core/statistics/special.ts";
import type { Readable } from "../claims/claim.ts";
import {
  AccountSketch,
  addFeatures,
  FEATURE_LENGTH,
  featureWeights,
  type Sketched,
} from "./account-sketch.ts";
import { logEnrichment, type Profile, profileOf } from "./profile.ts";

/** Most accounts that are pooled, and others that pools are drawn from; and exchanges read of each: a sample by hash. */
const MEMBERS = 200;
const OTHERS = 200;
const EXCHANGES_EACH = 100;
/** Random pools: p-values are at least 1 in 200. */
const POOLS = 199;
const TIMEOUT_MS = 60_000;
/** How closely accounts keep to their kind's share of a capability. Ranks among random pools hold for any value. */
const KIND_STRENGTH = 10;

const SELECT_EXCHANGES = `
SELECT
    account,
    account IN {accounts:Array(String)} AS member,
    toFloat64(toUnixTimestamp64Milli(time)) AS timeMs,
    served, continued, toString(input) AS input, toString(skeleton) AS skeleton,
    completion_tokens AS completionTokens, prompt_chars AS promptChars, embedding, shape, capabilities AS tags
FROM exchange_features
WHERE time < fromUnixTimestamp64Milli({untilMs:Int64})
  AND account IN
  (
      SELECT arrayJoin(arrayConcat(
          arraySlice(groupArrayIf(account, account IN {accounts:Array(String)}), 1, {members:UInt32}),
          arraySlice(groupArrayIf(account, account NOT IN {accounts:Array(String)}), 1, {others:UInt32})
      ))
      FROM
      (
          SELECT account FROM exchange_features
          WHERE time < fromUnixTimestamp64Milli({untilMs:Int64})
          GROUP BY account ORDER BY cityHash64(account)
      )
  )
ORDER BY cityHash64(exchange)
LIMIT {each:UInt32} BY account`;

interface Row {
  readonly account: string;
  readonly member: number;
  readonly timeMs: number;
  readonly served: number;
  readonly continued: number;
  readonly input: string;
  readonly skeleton: string;
  readonly completionTokens: number;
  readonly promptChars: number;
  readonly embedding: readonly number[];
  readonly shape: readonly number[];
  readonly tags: number;
}

/** One number of the pool, and how many random pools lie as far out on its rarer side. */
export interface Measure {
  readonly name: keyof Profile | "enrichment" | "distance";
  readonly value: number;
  /** Median of the random pools. */
  readonly usual: number;
  readonly pValue: number;
}

export interface PoolComparison {
  readonly members: number;
  readonly others: number;
  readonly measures: readonly Measure[];
  /** Of "these accounts are a random draw from all accounts": Bonferroni over the measures. */
  readonly pValue: number;
  /** Bytes that one account's sketch takes. */
  readonly bytesEach: number;
}

const MEASURES = [
  "unseenInputs",
  "skeletonRepetition",
  "nearPairs",
  "cells",
  "rhythm",
  "followUpShare",
] as const satisfies readonly (keyof Profile)[];

/**
 * Compares the pool of `accounts` with 199 pools of as many other accounts. Null of every measure: the accounts are
 * a random draw from all accounts (two-sided conformal p-values over pools). They are not: a detector picked them. So
 * the p-values describe how the pool stands out; the finding's own error rate is what was promised. Null when there
 * are fewer than twice as many others as members, or nothing is stored. Reads nothing later than `untilMs`.
 * @throws StoreError
 */
export async function comparePool(
  store: Readable,
  accounts: readonly string[],
  untilMs: number,
): Promise<PoolComparison | null> {
  const parameters = { accounts, untilMs, members: MEMBERS, others: OTHERS, each: EXCHANGES_EACH };
  const rows = await store.query<Row>(SELECT_EXCHANGES, parameters, { timeoutMs: TIMEOUT_MS });
  const members = new Map<string, AccountSketch>();
  const others = new Map<string, AccountSketch>();
  const vectors: Float64Array[] = [];
  for (const row of rows) {
    const exchange = exchangeOf(row);
    sketchIn(row.member === 1 ? members : others, row.account).add(exchange);
    if (row.member === 0) vectors.push(vectorOf(exchange));
  }
  if (members.size === 0 || others.size < 2 * members.size || vectors.length < 2) return null;
  const reference = referenceOf(vectors);
  const all = merged([...others.values()]);
  const pool = statisticsOf(merged([...members.values()]), all, { reference, inside: false });
  const drawn = drawPools([...others.values()], members.size).map((sketch) =>
    statisticsOf(sketch, all, { reference, inside: true }),
  );
  const measures = [...MEASURES, ...(["enrichment", "distance"] as const)].map((name) =>
    measureOf(
      name,
      pool[name],
      drawn.map((one) => one[name]),
    ),
  );
  return {
    members: members.size,
    others: others.size,
    measures,
    pValue: smallestOf(measures.map(({ pValue }) => pValue)),
    bytesEach: all.bytes,
  };
}

type Statistics = Readonly<Record<Measure["name"], number>>;

/** @param inside the pool is part of `all`, and is taken out before it is compared with the rest */
function statisticsOf(
  pool: AccountSketch,
  all: AccountSketch,
  { reference, inside }: { readonly reference: Reference; readonly inside: boolean },
): Statistics {
  const count = all.counts.exchanges - (inside ? pool.counts.exchanges : 0);
  const mean = Float64Array.from(all.features, (sum, i) => {
    const rest = sum - (inside ? (pool.features[i] as number) : 0);
    return (rest / Math.max(1, count)) * (featureWeights[i] as number);
  });
  const window = {
    sum: Float64Array.from(pool.features, (sum, i) => sum * (featureWeights[i] as number)),
    count: pool.counts.exchanges,
  };
  const enrichment = enrichmentOf(pool, all);
  return { ...profileOf(pool), enrichment, distance: fisherDistance(window, { ...reference, count, mean }) };
}

/** ln of the mean Bayes factor over capabilities (`logEnrichment`): which one is sought need not be known. */
function enrichmentOf(pool: AccountSketch, all: AccountSketch): number {
  const factors = Array.from(pool.tags, (hits, tag) => {
    const share = ((all.tags[tag] as number) + 1) / (all.counts.exchanges + 2);
    return logEnrichment({ hits, trials: pool.counts.exchanges }, { share, strength: KIND_STRENGTH });
  });
  return logSumExp(factors) - Math.log(factors.length);
}

function measureOf(name: Measure["name"], value: number, drawn: readonly number[]): Measure {
  const ordered = [...drawn].sort((a, b) => a - b);
  const above = conformalPValue(value, drawn);
  const below = conformalPValue(
    -value,
    drawn.map((one) => -one),
  );
  return {
    name,
    value,
    usual: ordered[ordered.length >> 1] ?? Number.NaN,
    pValue: smallestOf([above, below]),
  };
}

/** Each of different accounts. The same every time: what is shown of a finding must not change with the asking. */
function drawPools(sketches: readonly AccountSketch[], size: number): AccountSketch[] {
  const random = generator(sketches.length);
  return Array.from({ length: POOLS }, () => {
    const deck = [...sketches];
    for (let i = 0; i < size; i += 1) {
      const j = i + Math.floor(random() * (deck.length - i));
      [deck[i], deck[j]] = [deck[j] as AccountSketch, deck[i] as AccountSketch];
    }
    return merged(deck.slice(0, size));
  });
}

function merged(sketches: readonly AccountSketch[]): AccountSketch {
  const sum = new AccountSketch();
  for (const sketch of sketches) sum.merge(sketch);
  return sum;
}

function sketchIn(sketches: Map<string, AccountSketch>, account: string): AccountSketch {
  const known = sketches.get(account) ?? new AccountSketch();
  sketches.set(account, known);
  return known;
}

function exchangeOf(row: Row): Sketched {
  return {
    ...row,
    served: row.served === 1,
    continued: row.continued === 1,
    input: BigInt(row.input),
    skeleton: BigInt(row.skeleton),
  };
}

function vectorOf(exchange: Sketched): Float64Array {
  const sums = new Int32Array(FEATURE_LENGTH);
  addFeatures(exchange, sums);
  return Float64Array.from(sums, (value, i) => value * (featureWeights[i] as number));
}
