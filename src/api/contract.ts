// The shapes of every request and answer of the API: the one file that server and console share.
import { z } from "zod";

/** Longest page of any list, in rows. */
export const PAGE_ROWS_MAX = 200;
/** Deepest page of any list: a person who needs more than this narrows the filter instead. */
export const PAGE_MAX = 1_000;
/** Shortest and longest reason for looking at content, in characters after trimming. */
export const REASON_MIN = 10;
export const REASON_MAX = 500;
/** A finding may name thousands of accounts; this many come with it, busiest first. */
export const FINDING_ACCOUNTS_MAX = 200;

export type Role = "viewer" | "analyst" | "admin";
export type FindingKind = "campaign" | "account" | "probe";
export type FindingStatus = "open" | "confirmed" | "dismissed";
export type RecordKind = "open" | "close" | "interrupted" | "act";
/** Whether the client got an answer it can learn from. */
export type Ending = "served" | "failed";
export type Direction = "asc" | "desc";

export const ROLES: readonly [Role, Role, Role] = ["viewer", "analyst", "admin"];
export const FINDING_KINDS: readonly FindingKind[] = ["campaign", "account", "probe"];
export const FINDING_STATUSES: readonly FindingStatus[] = ["open", "confirmed", "dismissed"];
export const RECORD_KINDS: readonly RecordKind[] = ["open", "close", "interrupted", "act"];
export const ENDINGS: readonly Ending[] = ["served", "failed"];

const time = z.iso.datetime();
const count = z.number().int().nonnegative();
const optionalText = z.string().max(200).optional();
const kind = z.enum(FINDING_KINDS);
const status = z.enum(FINDING_STATUSES);
const maybeText = z.string().nullable();
const maybeTime = time.nullable();
const maybeCount = count.nullable();
/** Several fields of one type. The cast is sound: `fromEntries` makes exactly the names it is given. */
const all = <Name extends string, Type>(type: Type, ...names: Name[]): Record<Name, Type> =>
  Object.fromEntries(names.map((name) => [name, type])) as Record<Name, Type>;
const recordKind = z.enum(RECORD_KINDS);

// What a client may ask. Query strings arrive as text, hence the coercions.

type Paging = { page: number; limit: number };
const paging = {
  page: z.coerce.number().int().min(1).max(PAGE_MAX).default(1),
  limit: z.coerce.number().int().min(1).max(PAGE_ROWS_MAX).default(50),
};
const direction = z.enum(["asc", "desc"]).default("desc");

export const signInBody: z.ZodType<{ token: string }> = z.strictObject({ token: z.string().min(1).max(500) });

export interface FindingsQuery extends Paging {
  status?: FindingStatus | undefined;
  kind?: FindingKind | undefined;
  detector?: string | undefined;
  account?: string | undefined;
  q?: string | undefined;
  sort: "time" | "accounts" | "evidence" | "detector";
  direction: Direction;
}
export const findingsQuery: z.ZodType<FindingsQuery> = z.object({
  status: status.optional(),
  kind: kind.optional(),
  detector: optionalText,
  account: optionalText,
  q: optionalText,
  sort: z.enum(["time", "accounts", "evidence", "detector"]).default("time"),
  direction,
  ...paging,
});

export type FindingPatch = { status: FindingStatus; note: string };
const note = z.string().trim().max(2_000).default("");
export const findingPatch: z.ZodType<FindingPatch> = z.strictObject({ status, note });

export interface AccountsQuery extends Paging {
  q?: string | undefined;
  sort: "account" | "created" | "exchanges" | "last";
  direction: Direction;
}
export const accountsQuery: z.ZodType<AccountsQuery> = z.object({
  q: optionalText,
  sort: z.enum(["account", "created", "exchanges", "last"]).default("last"),
  direction,
  ...paging,
});

export type ExchangesQuery = Paging & { ending?: Ending | undefined };
export const exchangesQuery: z.ZodType<ExchangesQuery> = z.object({
  ending: z.enum(ENDINGS).optional(),
  ...paging,
});

const reason = z.string().trim().min(REASON_MIN).max(REASON_MAX);
export const revealBody: z.ZodType<{ reason: string }> = z.strictObject({ reason });

export interface RecordsQuery {
  /** List records whose index is below this one, newest first; absent: from the end of the log. */
  before?: number | undefined;
  kind?: RecordKind | undefined;
  /** Public name of an act, or its beginning up to a dot: `content.revealed`, `key`. */
  act?: string | undefined;
  limit: number;
}
export const recordsQuery: z.ZodType<RecordsQuery> = z.object({
  before: z.coerce.number().int().nonnegative().optional(),
  kind: recordKind.optional(),
  act: optionalText,
  limit: paging.limit,
});

// What the API answers.

export type Page<Item> = { items: Item[]; total: number; page: number; limit: number };
const pageOf = <Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> =>
  z.object({ items: z.array(item), total: count, page: count, limit: count });

export type ApiErrorBody = { error: { code: string; message: string; requestId: string } };
export const apiError: z.ZodType<ApiErrorBody> = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
});

export interface Session {
  user: { name: string; role: Role };
  /** Null: an identity without a session, such as the local operator's socket. */
  expiresAt: string | null;
}
const user = z.object({ name: z.string(), role: z.enum(ROLES) });
export const session: z.ZodType<Session> = z.object({ user, expiresAt: maybeTime });

export interface FindingSummary {
  id: string;
  kind: FindingKind;
  detector: string;
  status: FindingStatus;
  raisedAt: string;
  /** How many accounts it names. */
  accounts: number;
  summary: string;
  /** MITRE ATLAS technique. */
  technique: string | null;
  pValue: number | null;
  eValue: number | null;
}
const findingFields = {
  ...all(z.string(), "id", "detector", "summary"),
  ...all(z.number().nullable(), "pValue", "eValue"),
  kind,
  status,
  raisedAt: time,
  accounts: count,
  technique: maybeText,
};
export const findingSummary: z.ZodType<FindingSummary> = z.object(findingFields);
export const findingPage: z.ZodType<Page<FindingSummary>> = pageOf(findingSummary);

type Amount = { exchanges: number; promptTokens: number; completionTokens: number };
const amount = { exchanges: count, promptTokens: count, completionTokens: count };

/** How much happened in each bucket of time; buckets in which nothing happened are absent. */
export interface Series {
  bucketSeconds: number;
  buckets: (Amount & { at: string; accounts: number })[];
}
export const series: z.ZodType<Series> = z.object({
  bucketSeconds: count,
  buckets: z.array(z.object({ ...amount, at: time, accounts: count })),
});

export interface ExchangeSummary {
  id: string;
  account: string;
  openedAt: string;
  endpoint: string;
  /** As the client asked for it. Attacker-controlled. */
  model: string;
  /** HTTP status the client got; 0 when it got none. */
  status: number;
  ending: Ending;
  promptTokens: number;
  completionTokens: number;
}
const exchangeFields = {
  ...all(z.string(), "id", "account", "endpoint", "model"),
  ...all(count, "status", "promptTokens", "completionTokens"),
  openedAt: time,
  ending: z.enum(ENDINGS),
};
export const exchangeSummary: z.ZodType<ExchangeSummary> = z.object(exchangeFields);
export const exchangePage: z.ZodType<Page<ExchangeSummary>> = pageOf(exchangeSummary);

/** One reason among those that made the finding, in the detector's own words. */
export type Contribution = { name: string; value: string };
export type Member = Amount & { account: string; firstAt: string | null; lastAt: string | null };
export interface Finding extends FindingSummary {
  /** What the error rate is, over what, and under which assumptions. */
  errorRate: string;
  contributions: Contribution[];
  members: Member[];
  /** What the named accounts received in all their time here: an upper bound of what was copied. */
  take: Amount & { skeletons: number };
  series: Series;
  exemplars: ExchangeSummary[];
  note: string | null;
  decidedAt: string | null;
  decidedBy: string | null;
}
export const finding: z.ZodType<Finding> = z.object({
  ...findingFields,
  errorRate: z.string(),
  contributions: z.array(z.object({ name: z.string(), value: z.string() })),
  members: z.array(z.object({ ...amount, account: z.string(), firstAt: maybeTime, lastAt: maybeTime })),
  take: z.object({ ...amount, skeletons: count }),
  series,
  exemplars: z.array(exchangeSummary),
  ...all(maybeText, "note", "decidedBy"),
  decidedAt: maybeTime,
});

/** What the provider knows of an account. */
export type Facts = Record<
  "created" | "plan" | "payment" | "emailDomain" | "country" | "organization" | "declaredUse",
  string | null
>;
const facts = {
  ...all(maybeText, "plan", "payment", "emailDomain", "country", "organization", "declaredUse"),
  created: maybeTime,
};
export type AccountSummary = Facts & {
  account: string;
  exchanges: number;
  lastAt: string | null;
  openFindings: number;
};
const accountSummary: z.ZodType<AccountSummary> = z.object({
  ...facts,
  ...all(count, "exchanges", "openFindings"),
  account: z.string(),
  lastAt: maybeTime,
});
export const accountPage: z.ZodType<Page<AccountSummary>> = pageOf(accountSummary);

type Spread = { failed: number; skeletons: number; models: number; networks: number };
export interface Account {
  account: string;
  facts: Facts;
  /** Virtual keys without their secrets, which nobody can read again. */
  keys: {
    id: string;
    label: string;
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
  }[];
  figures: Amount & Spread & { firstAt: string | null; lastAt: string | null };
  series: Series;
  findings: FindingSummary[];
}
const key = {
  id: z.string(),
  label: z.string(),
  createdAt: time,
  expiresAt: maybeTime,
  revokedAt: maybeTime,
};
const spread = { failed: count, skeletons: count, models: count, networks: count };
export const account: z.ZodType<Account> = z.object({
  account: z.string(),
  facts: z.object(facts),
  keys: z.array(z.object(key)),
  figures: z.object({ ...amount, ...spread, firstAt: maybeTime, lastAt: maybeTime }),
  series,
  findings: z.array(findingSummary),
});

/** Figures only: address, headers, key and bodies are content, which `reveal` gives. */
export interface Exchange extends ExchangeSummary {
  /** From request to answer, by the records' times; null while the answer is not sealed. */
  tookMs: number | null;
  /** True when a crash cut it: there is no answer. */
  interrupted: boolean;
  /** Places of the two records in the log; null while they are not sealed. */
  openIndex: number | null;
  closeIndex: number | null;
  /** True when the content's key was destroyed: nothing can be revealed any more. */
  erased: boolean;
  asn: number | null;
  country: string | null;
}
export const exchange: z.ZodType<Exchange> = z.object({
  ...exchangeFields,
  ...all(maybeCount, "openIndex", "closeIndex", "asn", "tookMs"),
  ...all(z.boolean(), "interrupted", "erased"),
  country: maybeText,
});

/** Bytes in the clear. Attacker-controlled: to be shown as text and as nothing else. */
export type Body = { text: string; bytes: number; truncated: boolean };
const body = z.object({ text: z.string(), bytes: count, truncated: z.boolean() });
const act = { ...all(z.string(), "name", "writer", "reason"), sequence: count, at: time };
export interface Revealed {
  exchange: string;
  account: string;
  /** The act that records this look; the log held it durably before this answer was made. */
  act: { name: string; writer: string; sequence: number; reason: string; at: string };
  messages: { role: string; text: string }[];
  answer: { text: string; finishReason: string | null; toolCalls: string | null } | null;
  request: Body;
  response: Body | null;
  headers: [name: string, value: string][];
  /** What the network and the authentication said of the caller. */
  origin: { ip: string | null; ja4: string | null; key: string | null };
}
export const revealed: z.ZodType<Revealed> = z.object({
  ...all(z.string(), "exchange", "account"),
  act: z.object(act),
  messages: z.array(z.object({ role: z.string(), text: z.string() })),
  answer: z.object({ text: z.string(), finishReason: maybeText, toolCalls: maybeText }).nullable(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  origin: z.object(all(maybeText, "ip", "ja4", "key")),
  request: body,
  response: body.nullable(),
});

export interface LedgerRecord {
  index: number;
  kind: RecordKind;
  time: string;
  writer: string;
  sequence: number;
  exchange: string | null;
  act: string | null;
  /** Pseudonym of the account, as the public leaf has it. */
  account: string | null;
  /** Detail of an act as canonical JSON; null for other kinds, and where its key was destroyed. */
  detail: string | null;
}
const ledgerRecord: z.ZodType<LedgerRecord> = z.object({
  ...all(maybeText, "exchange", "act", "account", "detail"),
  ...all(count, "index", "sequence"),
  kind: recordKind,
  time,
  writer: z.string(),
});

/** A search stops after `scanned` records at most and goes on from `nextBefore`; null: the log's beginning. */
export type LedgerRecords = { items: LedgerRecord[]; nextBefore: number | null; scanned: number };
export const ledgerRecords: z.ZodType<LedgerRecords> = z.object({
  items: z.array(ledgerRecord),
  nextBefore: maybeCount,
  scanned: count,
});

/** One record with its public leaf, the leaf's hash (hexadecimal) and a C2SP tlog-proof. */
export type LedgerProof = {
  record: LedgerRecord;
  leaf: string;
  leafHash: string;
  proof: string;
  erased: boolean;
};
export const ledgerProof: z.ZodType<LedgerProof> = z.object({
  ...all(z.string(), "leaf", "leafHash", "proof"),
  record: ledgerRecord,
  erased: z.boolean(),
});

export interface Ledger {
  size: number;
  origin: string | null;
  root: string | null;
  /** The signed note as published. */
  checkpoint: string | null;
  /** Checked against the installation's own key when this answer was made. */
  signatureValid: boolean;
  writers: { name: string; sequence: number }[];
  openExchanges: number;
  /** How far the analytical store has read the log. */
  storePosition: number;
}
export const ledger: z.ZodType<Ledger> = z.object({
  ...all(count, "size", "storePosition", "openExchanges"),
  ...all(maybeText, "origin", "root", "checkpoint"),
  signatureValid: z.boolean(),
  writers: z.array(z.object({ name: z.string(), sequence: count })),
});

export type Component = { name: string; ok: boolean; message: string };
export type Health = { status: "ok" | "degraded"; components: Component[] };
const component = z.object({ name: z.string(), ok: z.boolean(), message: z.string() });
export const health: z.ZodType<Health> = z.object({
  status: z.enum(["ok", "degraded"]),
  components: z.array(component),
});

export type HuntResult = { raised: FindingSummary[]; tookMs: number };
const raised = z.array(findingSummary);
export const huntResult: z.ZodType<HuntResult> = z.object({ raised, tookMs: z.number() });
