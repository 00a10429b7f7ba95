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
  sort: "account" | "created" | "exchanges" | "last";
  direction: Direction;
}
export const accountsQuery: z.ZodType<AccountsQuery> = z.object({
  q: optionalText,
  sort: z.enum(["account", "created", "exchanges", "last"]).default("last"),
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
});
