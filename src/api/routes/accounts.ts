// Accounts: the list, one with facts and figures, and its exchanges. Keys are shown without their secrets, which nobody has.
import type { AccountFacts } from "../../core/account.ts";
import { unknownAccount } from "../../core/account.ts";
import type { Key } from "../../state/keys.ts";
import { accountsByActivity, exchangesOf, figuresOf, membersOf, seriesOf } from "../analysis.ts";
import {
  type Account,
  type AccountSummary,
  type AccountsQuery,
  accountsQuery,
  type Facts,
} from "../contract/accounts.ts";
import type { Page } from "../contract/common.ts";
import { type ExchangeSummary, exchangesQuery } from "../contract/exchanges.ts";
import { ApiError } from "../errors.ts";
import { isoTime, isoTimeOrNull, pathPart, readQuery } from "../http.ts";
import type { ApiOptions, ApiServices, Handlers } from "../services.ts";
import { viewOf } from "../unusual-accounts.ts";
import { summaryOf } from "./findings.ts";

/** Accounts whose facts match a search and that are looked up in the store by name. */
const MATCHES_MAX = 1_000;
const FINDINGS_SHOWN = 100;
const KEYS_SHOWN = 1_000;

export const accountHandlers: Handlers<
  "GET /api/accounts" | "GET /api/accounts/:account" | "GET /api/accounts/:account/exchanges"
> = {
  "GET /api/accounts": async (context, options) => {
    const query = readQuery(context, accountsQuery);
    const answer: Page<AccountSummary> = await LISTS[query.sort](query, options);
    return context.json(answer);
  },
  "GET /api/accounts/:account": async (context, options) =>
    context.json(await whole(pathPart(context, "account"), options)),
  "GET /api/accounts/:account/exchanges": async (context, { store }) => {
    const { ending, page, limit } = readQuery(context, exchangesQuery);
    const account = pathPart(context, "account");
    const answer: Page<ExchangeSummary> = {
      ...(await exchangesOf(store, { account, ending, page, limit })),
      page,
      limit,
    };
    return context.json(answer);
  },
};

const LISTS: Readonly<
  Record<
    AccountsQuery["sort"],
    (query: AccountsQuery, services: ApiServices) => Promise<Page<AccountSummary>>
  >
> = {
  account: listByFacts,
  created: listByFacts,
  exchanges: listByActivity,
  last: listByActivity,
  unusual: listByUnusual,
};

type Activity = { readonly account: string; readonly exchanges: number; readonly lastAt: string | null };

async function listByFacts(query: AccountsQuery, options: ApiOptions): Promise<Page<AccountSummary>> {
  const { q: text, direction, page, limit } = query;
  const sort = query.sort === "created" ? "created" : "account";
  const { items, total } = await options.state.accounts.search({
    text,
    sort,
    direction,
    limit,
    offset: (page - 1) * limit,
  });
  const names = items.map(({ account }) => account);
  const activity = await activityOf(names, limit, options);
  return { items: await withFacts(activity, options), total, page, limit };
}

async function listByActivity(query: AccountsQuery, options: ApiOptions): Promise<Page<AccountSummary>> {
  const { q: text, page, limit } = query;
  // Facts are in the state, activity in the store: a search by organisation finds names there that are then asked for here.
  const named =
    text === undefined ? [] : (await options.state.accounts.search({ text, limit: MATCHES_MAX })).items;
  const names = named.map(({ account }) => account);
  const { accounts, total } = await accountsByActivity(options.store, query, names);
  return { items: await withFacts(accounts, options), total, page, limit };
}

/** Accounts with an answered exchange in the last thirty days; the others have no place among these. */
async function listByUnusual(query: AccountsQuery, services: ApiServices): Promise<Page<AccountSummary>> {
  const { q: text, page, limit, direction } = query;
  const { accounts, nowMs } = await services.unusual.ranking();
  const named =
    text === undefined ? [] : (await services.state.accounts.search({ text, limit: MATCHES_MAX })).items;
  const names = new Set(named.map(({ account }) => account));
  const part = text?.toLowerCase() ?? "";
  const matching = accounts.filter(
    ({ account }) => names.has(account) || account.toLowerCase().includes(part),
  );
  if (direction === "asc") matching.reverse();
  const shown = matching.slice((page - 1) * limit, page * limit);
  const activity = await activityOf(
    shown.map(({ account }) => account),
    limit,
    services,
  );
  const items = (await withFacts(activity, services)).map((summary, index) => {
    const place = shown[index];
    return place === undefined ? summary : { ...summary, unusual: viewOf(place, nowMs) };
  });
  return { items, total: matching.length, page, limit };
}

/** Of the accounts named, in their order. */
async function activityOf(
  names: readonly string[],
  limit: number,
  { store }: ApiOptions,
): Promise<Activity[]> {
  const members = await membersOf(store, names, limit);
  const seen = new Map(members.map((member) => [member.account, member]));
  return names.map((account) => seen.get(account) ?? { account, exchanges: 0, lastAt: null });
}

async function withFacts(activity: readonly Activity[], { state }: ApiOptions): Promise<AccountSummary[]> {
  const names = activity.map(({ account }) => account);
  const [known, open] = await Promise.all([state.accounts.getMany(names), state.findings.openCounts(names)]);
  return activity.map(({ account, exchanges, lastAt }) => ({
    account,
    exchanges,
    lastAt,
    ...factsOf(known.get(account) ?? unknownAccount(account)),
    openFindings: open.get(account) ?? 0,
    unusual: null,
  }));
}

async function whole(name: string, { state, store, unusual, diagnostics }: ApiServices): Promise<Account> {
  const accounts = [name];
  const [known, keys, findings, figures, place] = await Promise.all([
    state.accounts.get(name),
    state.keys.list({ account: name, limit: KEYS_SHOWN }),
    state.findings.list({ account: name, limit: FINDINGS_SHOWN }),
    figuresOf(store, accounts),
    unusual.of(name).catch((err: unknown) => {
      diagnostics.warn({ err }, "accounts could not be ranked"); // the account's own facts are worth showing
      return null;
    }),
  ]);
  // In pass-through mode an account may have exchanges and no facts.
  if (known === null && figures.exchanges === 0)
    throw new ApiError("api.not-found", "There is no such account.");
  const { firstMs, lastMs, ...amounts } = figures;
  return {
    account: name,
    status: known?.status ?? "active",
    facts: factsOf(known ?? unknownAccount(name)),
    keys: keys.map(keyView),
    figures: { ...amounts, firstAt: isoTimeOrNull(firstMs), lastAt: isoTimeOrNull(lastMs) },
    series: await seriesOf(store, accounts, figures),
    findings: findings.items.map(summaryOf),
    unusual: place,
  };
}

function factsOf(facts: AccountFacts): Facts {
  const { created, plan, payment, emailDomain, country, organization, declaredUse } = facts;
  const at = created === null ? Number.NaN : Date.parse(created);
  return {
    created: Number.isNaN(at) ? null : isoTime(at),
    plan,
    payment,
    emailDomain,
    country,
    organization,
    declaredUse,
  };
}

function keyView({ id, label, createdMs, expiresMs, revokedMs }: Key): Account["keys"][number] {
  return {
    id,
    label,
    createdAt: isoTime(createdMs),
    expiresAt: isoTimeOrNull(expiresMs),
    revokedAt: isoTimeOrNull(revokedMs),
  };
}
