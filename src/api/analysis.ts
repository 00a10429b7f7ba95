// What the API asks of the analytical store: figures, series and lists, never content. Each question is bounded in time.

import {
  COUNT_ACCOUNTS,
  COUNT_EXCHANGES,
  SELECT_ACCOUNT_FIGURES,
  SELECT_ACCOUNTS_BY_ACTIVITY,
  SELECT_EXCHANGE,
  SELECT_EXCHANGES,
  SELECT_EXEMPLARS,
  SELECT_FIGURES,
  SELECT_SERIES,
} from "../store/queries/console.ts";
import type { Store } from "../store/store.ts";
import type { AccountsQuery } from "./contract/accounts.ts";
import type { ExchangeSummary } from "./contract/exchanges.ts";
import type { Series } from "./contract/figures.ts";
import type { Member } from "./contract/findings.ts";
import { isoTime } from "./http.ts";

/** A person waits; a question that takes longer is the wrong question. */
export const LIMITS = { timeoutMs: 10_000 } as const;
/** Accounts that one question may name: their names travel with it. A larger campaign is measured by its first ones. */
export const MAX_NAMED = 20_000;
/** Bars a chart can show apart. */
const MAX_BUCKETS = 120;
const EXEMPLARS = 20;
/** Lengths that people read off an axis, seconds. */
const BUCKET_SECONDS: readonly number[] = [
  60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000, 31_536_000,
];

interface ExchangeRow {
  exchange: string;
  account: string;
  time_ms: number;
  endpoint: string;
  model: string;
  status: number;
  served: number;
  prompt_tokens: number;
  completion_tokens: number;
}

interface MemberRow {
  account: string;
  exchanges: number;
  prompt_tokens: number;
  completion_tokens: number;
  first_ms: number;
  last_ms: number;
}

interface FiguresRow {
  exchanges: number;
  failed: number;
  prompt_tokens: number;
  completion_tokens: number;
  skeletons: number;
  models: number;
  networks: number;
  first_ms: number;
  last_ms: number;
}

export interface StoredExchange extends ExchangeSummary {
  readonly asn: number | null;
  readonly country: string | null;
}

export type Figures = Omit<FiguresRow, "prompt_tokens" | "completion_tokens" | "first_ms" | "last_ms"> & {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
};

/** All figures of a set of accounts taken as one. */
export async function figuresOf(store: Store, accounts: readonly string[]): Promise<Figures> {
  const [row] = await store.query<FiguresRow>(
    SELECT_FIGURES,
    { accounts: accounts.slice(0, MAX_NAMED) },
    LIMITS,
  );
  const { prompt_tokens, completion_tokens, first_ms, last_ms, ...rest } = row ?? EMPTY;
  return {
    ...rest,
    promptTokens: prompt_tokens,
    completionTokens: completion_tokens,
    firstMs: rest.exchanges === 0 ? null : first_ms,
    lastMs: rest.exchanges === 0 ? null : last_ms,
  };
}

const EMPTY: FiguresRow = {
  exchanges: 0,
  failed: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  skeletons: 0,
  models: 0,
  networks: 0,
  first_ms: 0,
  last_ms: 0,
};

/** Figures of each account apart, busiest first. Accounts without an exchange are absent. */
export async function membersOf(store: Store, accounts: readonly string[], limit: number): Promise<Member[]> {
  const rows = await store.query<MemberRow>(
    SELECT_ACCOUNT_FIGURES,
    { accounts: accounts.slice(0, MAX_NAMED), limit },
    LIMITS,
  );
  return rows.map((row) => ({
    account: row.account,
    exchanges: row.exchanges,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    firstAt: isoTime(row.first_ms),
    lastAt: isoTime(row.last_ms),
  }));
}

/** A page of the accounts that have exchanges, by how many or by the last. */
export async function accountsByActivity(
  store: Store,
  { q, sort, direction, page, limit }: AccountsQuery,
  named: readonly string[],
): Promise<{ accounts: { account: string; exchanges: number; lastAt: string | null }[]; total: number }> {
  const matching = { text: q ?? "", named };
  const order = { by: sort, sign: direction === "asc" ? 1 : -1, limit, offset: (page - 1) * limit };
  const [rows, total] = await Promise.all([
    store.query<{ account: string; exchanges: number; last_ms: number }>(
      SELECT_ACCOUNTS_BY_ACTIVITY,
      { ...matching, ...order },
      LIMITS,
    ),
    totalOf(store, COUNT_ACCOUNTS, matching),
  ]);
  const accounts = rows.map((row) => ({
    account: row.account,
    exchanges: row.exchanges,
    lastAt: row.last_ms === 0 ? null : isoTime(row.last_ms),
  }));
  return { accounts, total };
}

async function totalOf(
  store: Store,
  sql: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<number> {
  const [row] = await store.query<{ total: number }>(sql, parameters, LIMITS);
  return row?.total ?? 0;
}

/** Length of the buckets of which at most 120 or so lie between the first exchange and the last. */
export function bucketSecondsOf({ firstMs, lastMs }: Pick<Figures, "firstMs" | "lastMs">): number {
  const spanSeconds = ((lastMs ?? 0) - (firstMs ?? 0)) / 1000;
  return BUCKET_SECONDS.find((seconds) => spanSeconds / seconds <= MAX_BUCKETS) ?? 31_536_000;
}

/** Activity of accounts taken together, bucket by bucket. */
export async function seriesOf(store: Store, accounts: readonly string[], figures: Figures): Promise<Series> {
  if (figures.firstMs === null || figures.lastMs === null) return { bucketSeconds: 60, buckets: [] };
  const bucketSeconds = bucketSecondsOf(figures);
  const rows = await store.query<{
    bucket: number;
    exchanges: number;
    accounts: number;
    prompt_tokens: number;
    completion_tokens: number;
  }>(SELECT_SERIES, { accounts: accounts.slice(0, MAX_NAMED), seconds: bucketSeconds }, LIMITS);
  const buckets = rows.map((row) => ({
    at: isoTime(row.bucket * 1000),
    exchanges: row.exchanges,
    accounts: row.accounts,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
  }));
  return { bucketSeconds, buckets };
}

/** An account's exchanges, newest first. */
export async function exchangesOf(
  store: Store,
  question: { account: string; ending: string | undefined; page: number; limit: number },
): Promise<{ items: ExchangeSummary[]; total: number }> {
  const { account, ending = "", page, limit } = question;
  const [rows, total] = await Promise.all([
    store.query<ExchangeRow>(
      SELECT_EXCHANGES,
      { account, ending, limit, offset: (page - 1) * limit },
      LIMITS,
    ),
    totalOf(store, COUNT_EXCHANGES, { account, ending }),
  ]);
  return { items: rows.map(summary), total };
}

/** A few exchanges of a set of accounts: the newest served ones of the skeletons they share most. */
export async function exemplarsOf(store: Store, accounts: readonly string[]): Promise<ExchangeSummary[]> {
  const rows = await store.query<ExchangeRow>(
    SELECT_EXEMPLARS,
    { accounts: accounts.slice(0, MAX_NAMED), limit: EXEMPLARS },
    LIMITS,
  );
  return rows.map(summary);
}

/** `account`: whose it is, where that is known; it spares a search through everybody's. */
export async function exchangeById(
  store: Store,
  id: string,
  account: string | null,
): Promise<StoredExchange | null> {
  const [row] = await store.query<ExchangeRow & { asn: number; country: string }>(
    SELECT_EXCHANGE,
    { exchange: id, account: account ?? "" },
    LIMITS,
  );
  if (row === undefined) return null;
  return {
    ...summary(row),
    asn: row.asn === 0 ? null : row.asn,
    country: row.country === "" ? null : row.country,
  };
}

function summary(row: ExchangeRow): ExchangeSummary {
  return {
    id: row.exchange,
    account: row.account,
    openedAt: isoTime(row.time_ms),
    endpoint: row.endpoint,
    model: row.model,
    status: row.status,
    ending: row.served === 1 ? "served" : "failed",
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
  };
}
