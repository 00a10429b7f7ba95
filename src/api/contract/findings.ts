// Findings: lists of them, one with its evidence, and the decision about it.
import { z } from "zod";
import {
  all,
  count,
  type Direction,
  direction,
  maybeText,
  maybeTime,
  optionalText,
  type Page,
  type Paging,
  pageOf,
  paging,
  time,
} from "./common.ts";
import { type ExchangeSummary, exchangeSummary } from "./exchanges.ts";
import { type Amount, amount, type Series, series } from "./figures.ts";

/** A finding may name thousands of accounts; this many come with it, busiest first. */
export const FINDING_ACCOUNTS_MAX = 200;

export type FindingKind = "campaign" | "account" | "probe";
export type FindingStatus = "open" | "confirmed" | "dismissed";
export const FINDING_KINDS: readonly FindingKind[] = ["campaign", "account", "probe"];
export const FINDING_STATUSES: readonly FindingStatus[] = ["open", "confirmed", "dismissed"];

const kind = z.enum(FINDING_KINDS);
const status = z.enum(FINDING_STATUSES);

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

export type FindingAddition = { accounts: string[]; note: string };
/** Accounts that belong to it on a person's word; a word without a reason is none. */
export const findingAddition: z.ZodType<FindingAddition> = z.strictObject({
  accounts: z.array(z.string().trim().min(1).max(512)).min(1).max(1_000),
  note: z.string().trim().min(1).max(2_000),
});

export interface FindingSummary {
  id: string;
  kind: FindingKind;
  detector: string;
  status: FindingStatus;
  /** When it was first raised; `raisedAt` moves when its accounts change. */
  firstRaisedAt: string;
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
  firstRaisedAt: time,
  raisedAt: time,
  accounts: count,
  technique: maybeText,
};
export const findingSummary: z.ZodType<FindingSummary> = z.object(findingFields);
export const findingPage: z.ZodType<Page<FindingSummary>> = pageOf(findingSummary);

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
