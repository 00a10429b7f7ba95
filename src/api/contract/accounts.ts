// Accounts: lists of them, and one with its facts, keys, figures and findings.
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
import { type Amount, amount, type Series, series } from "./figures.ts";
import { type FindingSummary, findingSummary } from "./findings.ts";

export interface AccountsQuery extends Paging {
  q?: string | undefined;
  sort: "account" | "created" | "exchanges" | "last" | "unusual";
  direction: Direction;
}
export const accountsQuery: z.ZodType<AccountsQuery> = z.object({
  q: optionalText,
  sort: z.enum(["account", "created", "exchanges", "last", "unusual"]).default("last"),
  direction,
  ...paging,
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
/** How unlike its learnt kind an account works: for a person who looks, never an accusation. */
export interface UnusualView {
  /** Evidence against being one of its kind. One account among m can't be accused below m over the declared rate. */
  eValue: number;
  /** Share of its kind with at least this e-value, itself counted: a rank. */
  rank: number;
  kind: string;
  kindAccounts: number;
  /** What adds most to the e-value. */
  mostly: string;
  at: string;
}
const unusual: z.ZodType<UnusualView> = z.object({
  eValue: z.number().nonnegative(),
  rank: z.number().min(0).max(1),
  kind: z.string(),
  kindAccounts: count,
  mostly: z.string(),
  at: time,
});
export type AccountSummary = Facts & {
  account: string;
  exchanges: number;
  lastAt: string | null;
  openFindings: number;
  /** In a list sorted by it. */
  unusual: UnusualView | null;
};
const accountSummary: z.ZodType<AccountSummary> = z.object({
  ...facts,
  ...all(count, "exchanges", "openFindings"),
  account: z.string(),
  lastAt: maybeTime,
  unusual: unusual.nullable(),
});
export const accountPage: z.ZodType<Page<AccountSummary>> = pageOf(accountSummary);

type Spread = { failed: number; skeletons: number; models: number; networks: number };
export interface Account {
  account: string;
  /** `suspended` refuses every key. */
  status: "active" | "suspended";
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
  /** Null where it had no answered exchange in the last thirty days. */
  unusual: UnusualView | null;
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
  status: z.enum(["active", "suspended"]),
  facts: z.object(facts),
  keys: z.array(z.object(key)),
  figures: z.object({ ...amount, ...spread, firstAt: maybeTime, lastAt: maybeTime }),
  series,
  findings: z.array(findingSummary),
  unusual: unusual.nullable(),
});
