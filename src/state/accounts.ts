// Accounts: the principals that keys belong to and that findings are about.
import type { Selectable, Transaction } from "kysely";
import { z } from "zod";
import { ACCOUNT_FACTS, type AccountFacts } from "../core/account.ts";
import type { Act, ActRecorder } from "../core/acts.ts";
import { StateError } from "./errors.ts";
import { parse, parseAccountFacts } from "./facts.ts";
import { addHistory, changesBetween } from "./identity-history.ts";
import { containing, type Page, type PageQuery, pageOf, rowLimit } from "./paging.ts";
import { StatePart } from "./part.ts";
import { nextRevision } from "./revision.ts";
import type { AccountsTable, Tables } from "./schema.ts";

/** `suspended` refuses every key of the account. */
export type AccountStatus = "active" | "suspended";

export interface Account extends AccountFacts {
  readonly status: AccountStatus;
  readonly recordedMs: number;
  readonly updatedMs: number;
}

export interface AccountQuery {
  /** Accounts whose name sorts after this one: pass the last name of the page before. */
  readonly after?: string;
  /** At most this many, 1 to 1000; 100 by default. */
  readonly limit?: number;
  readonly organization?: string;
}

export interface AccountSearch extends PageQuery {
  /** Part of the name or of the organisation; upper and lower case are alike. */
  readonly text?: string | undefined;
  readonly sort?: "account" | "created" | undefined;
  readonly direction?: "asc" | "desc" | undefined;
}

export interface Recorded {
  /** Makes the change's acts durable before it is committed; when it throws, nothing is changed. */
  readonly record?: ActRecorder;
  /** Who does it, for the history: `user:<name>`, `cli:<system user>`; `system` where nothing is said. */
  readonly by?: string;
}

/** Facts that a later telling may change. A null keeps what is known. */
export type AccountChange = Partial<Omit<AccountFacts, "account">> & { readonly status?: AccountStatus };

/** Rows of one statement; SQLite allows 32,766 parameters. */
const ROWS_PER_STATEMENT = 500;
const ACCOUNTS_PER_TRANSACTION = 2000;
const MANY = 1000;
const status: z.ZodType<AccountStatus> = z.enum(["active", "suspended"]);

export class Accounts extends StatePart {
  /** Makes the account where it is new, and fills in facts that are told (nulls change nothing). Returns whether it was new. */
  async ensure(facts: AccountFacts, options: Recorded = {}): Promise<{ account: Account; isNew: boolean }> {
    const { created } = await this.ensureAll([facts], options);
    return { account: await this.demand(facts.account), isNew: created > 0 };
  }

  /** `ensure` for many, in short transactions, so that no other process waits long. After an error some may be made. */
  async ensureAll(
    all: readonly AccountFacts[],
    { record, by = "system" }: Recorded = {},
  ): Promise<{ created: number; changed: number }> {
    const parsed = all.map(parseAccountFacts);
    const total = { created: 0, changed: 0 };
    for (let start = 0; start < parsed.length; start += ACCOUNTS_PER_TRANSACTION) {
      const { created, changed } = await this.#ensureSome(
        parsed.slice(start, start + ACCOUNTS_PER_TRANSACTION),
        { record, by },
      );
      total.created += created;
      total.changed += changed;
    }
    return total;
  }

  async #ensureSome(
    parsed: readonly AccountFacts[],
    { record, by }: { record: ActRecorder | undefined; by: string },
  ): Promise<{ created: number; changed: number }> {
    return await this.db.transaction().execute(async (transaction) => {
      const known = await existing(transaction, parsed);
      const fresh = new Map<string, Account>();
      const changed = new Map<string, Account>();
      const now = this.now();
      for (const facts of parsed) {
        const before = fresh.get(facts.account) ?? changed.get(facts.account) ?? known.get(facts.account);
        if (before === undefined) {
          fresh.set(facts.account, { ...facts, status: "active", recordedMs: now, updatedMs: now });
          continue;
        }
        const after = { ...overlay(before, facts), updatedMs: now };
        if (sameFacts(before, after)) continue;
        (fresh.has(facts.account) ? fresh : changed).set(facts.account, after);
      }
      if (fresh.size === 0 && changed.size === 0) return { created: 0, changed: 0 };
      const revision = await nextRevision(transaction);
      const rows = [...fresh.values()].map((account) => toRow(account, revision));
      for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
        await transaction
          .insertInto("accounts")
          .values(rows.slice(start, start + ROWS_PER_STATEMENT))
          .execute();
      }
      for (const account of changed.values()) {
        await replace(transaction, account, revision);
        await remember(transaction, known.get(account.account) ?? account, account, by);
      }
      await record?.([...fresh.values(), ...changed.values()].map(recorded));
      return { created: fresh.size, changed: changed.size };
    });
  }

  /** Changes facts or status. @throws StateError `account-unknown`, `invalid-fact` */
  async update(
    name: string,
    change: AccountChange,
    { record, by = "system" }: Recorded = {},
  ): Promise<Account> {
    return await this.db.transaction().execute(async (transaction) => {
      const before = (await existing(transaction, [{ account: name }])).get(name);
      if (before === undefined) throw unknown(name);
      const { status: given, ...facts } = change;
      const merged = { ...before, ...defined(facts) };
      const account: Account = {
        ...before,
        ...parseAccountFacts(merged),
        status: parse(status, given ?? before.status, "status"),
        updatedMs: this.now(),
      };
      await replace(transaction, account, await nextRevision(transaction));
      await remember(transaction, before, account, by);
      await record?.(actsOf(before, account));
      return account;
    });
  }

  async get(name: string): Promise<Account | null> {
    const row = await this.db
      .selectFrom("accounts")
      .selectAll()
      .where("account", "=", name)
      .executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  /** The account, or StateError `account-unknown`. */
  async demand(name: string): Promise<Account> {
    const account = await this.get(name);
    if (account === null) throw unknown(name);
    return account;
  }

  /** In the order of names. */
  async list({ after, limit, organization }: AccountQuery = {}): Promise<Account[]> {
    let query = this.db.selectFrom("accounts").selectAll().orderBy("account").limit(rowLimit(limit));
    if (after !== undefined) query = query.where("account", ">", after);
    if (organization !== undefined) query = query.where("organization", "=", organization);
    return (await query.execute()).map(fromRow);
  }

  /** A page of a search, for people: any order, and how many match. */
  async search(query: AccountSearch = {}): Promise<Page<Account>> {
    const { text, sort = "account", direction = "asc" } = query;
    const matching = this.db.selectFrom("accounts").where((expression) => {
      if (text === undefined || text === "") return expression.and([]);
      return expression.or([containing("account", text), containing("organization", text)]);
    });
    // What is not known comes last, whichever the direction; the two databases differ where nothing is said.
    const ordered = matching
      .selectAll()
      .orderBy(sort, (order) => (direction === "asc" ? order.asc() : order.desc()).nullsLast())
      .orderBy("account");
    return await pageOf(matching, ordered, query, fromRow);
  }

  /** Those of the names that are known, at most 1000 at once. */
  async getMany(names: readonly string[]): Promise<Map<string, Account>> {
    const some = names.slice(0, MANY);
    if (some.length === 0) return new Map();
    const rows = await this.db.selectFrom("accounts").selectAll().where("account", "in", some).execute();
    return new Map(rows.map((row) => [row.account, fromRow(row)]));
  }

  async count(): Promise<number> {
    const row = await this.db
      .selectFrom("accounts")
      .select((expression) => expression.fn.countAll().as("count"))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }
}

async function existing(
  transaction: Transaction<Tables>,
  all: readonly { account: string }[],
): Promise<Map<string, Account>> {
  const names = [...new Set(all.map(({ account }) => account))];
  const known = new Map<string, Account>();
  for (let start = 0; start < names.length; start += ROWS_PER_STATEMENT) {
    const some = names.slice(start, start + ROWS_PER_STATEMENT);
    const rows = await transaction.selectFrom("accounts").selectAll().where("account", "in", some).execute();
    for (const row of rows) known.set(row.account, fromRow(row));
  }
  return known;
}

async function remember(
  transaction: Transaction<Tables>,
  before: Account,
  after: Account,
  by: string,
): Promise<void> {
  const detail = changesBetween<Account>(before, after, [...ACCOUNT_FACTS, "status"]);
  if (detail === null) return;
  const subject = { kind: "account", name: after.account } as const;
  await addHistory(transaction, subject, { atMs: after.updatedMs, by, act: "account.recorded", detail });
}

/** The fact that follows from what was declared; returns the acts to record. The caller has checked that the account is known. */
export async function setDeclaredUse(
  transaction: Transaction<Tables>,
  name: string,
  declaredUse: string | null,
  updatedMs: number,
): Promise<Act[]> {
  const before = (await existing(transaction, [{ account: name }])).get(name);
  if (before === undefined || before.declaredUse === declaredUse) return [];
  const after: Account = { ...before, declaredUse, updatedMs };
  await replace(transaction, after, await nextRevision(transaction));
  return actsOf(before, after);
}

async function replace(transaction: Transaction<Tables>, account: Account, revision: number): Promise<void> {
  const { account: name, recorded_ms: _kept, ...row } = toRow(account, revision);
  await transaction.updateTable("accounts").set(row).where("account", "=", name).execute();
}

/** What is newly told wins; what is not told stays. */
export function overlay<Before extends AccountFacts>(before: Before, told: AccountFacts): Before {
  const facts = Object.entries(told).filter(([, value]) => value !== null);
  return { ...before, ...Object.fromEntries(facts) };
}

/** Whether the telling adds or changes a fact. */
export function isChangedBy(before: AccountFacts, told: AccountFacts): boolean {
  return !sameFacts(before, overlay(before, told));
}

function defined<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function sameFacts(a: AccountFacts, b: AccountFacts): boolean {
  return ACCOUNT_FACTS.every((key) => a[key] === b[key]);
}

function recorded(account: Account): Act {
  const { status: _status, recordedMs: _recorded, updatedMs: _updated, ...facts } = account;
  return { act: "account.recorded", account: account.account, detail: facts };
}

function actsOf(before: Account, after: Account): Act[] {
  const acts: Act[] = sameFacts(before, after) ? [] : [recorded(after)];
  if (before.status !== after.status) {
    const detail = { from: before.status, to: after.status };
    acts.push({ act: "account.status-changed", account: after.account, detail });
  }
  return acts;
}

function unknown(name: string): StateError {
  return new StateError("account-unknown", `expected a known account, got ${JSON.stringify(name)}`);
}

function toRow(account: Account, revision: number): Selectable<AccountsTable> {
  return {
    account: account.account,
    created: account.created,
    plan: account.plan,
    payment: account.payment,
    email_domain: account.emailDomain,
    country: account.country,
    organization: account.organization,
    declared_use: account.declaredUse,
    status: account.status,
    recorded_ms: account.recordedMs,
    updated_ms: account.updatedMs,
    revision,
  };
}

function fromRow(row: Selectable<AccountsTable>): Account {
  return {
    account: row.account,
    created: row.created,
    plan: row.plan,
    payment: row.payment,
    emailDomain: row.email_domain,
    country: row.country,
    organization: row.organization,
    declaredUse: row.declared_use,
    status: row.status === "suspended" ? "suspended" : "active",
    recordedMs: Number(row.recorded_ms),
    updatedMs: Number(row.updated_ms),
  };
}
