// Findings: what detectors asserted, and what people decided about it.
import { type ExpressionBuilder, type Selectable, sql, type Transaction } from "kysely";
import { z } from "zod";
import { accountsText } from "../core/account.ts";
import type { Act, FindingStatus } from "../core/acts.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Finding, FindingKind } from "../core/finding.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { addByHand, setDetected, withNamedByHand } from "./finding-members.ts";
import { containing, type Page, type PageQuery, pageOf } from "./paging.ts";
import { StatePart } from "./part.ts";
import type { FindingsTable, Tables } from "./schema.ts";

/** A finding with what became of it. */
export interface FindingEntry {
  readonly finding: Finding;
  readonly status: FindingStatus;
  /** When this installation first heard of it, and when it last changed. */
  readonly firstMs: number;
  readonly updatedMs: number;
}

/** One change of status. `from` is null for the first. */
export interface FindingEvent {
  readonly atMs: number;
  readonly by: string;
  readonly from: FindingStatus | null;
  readonly to: FindingStatus;
  readonly note: string;
}

export interface FindingQuery extends PageQuery {
  readonly status?: FindingStatus | undefined;
  readonly kind?: FindingKind | undefined;
  readonly detector?: string | undefined;
  readonly account?: string | undefined;
  /** Part of id, summary, detector or of an account's name; upper and lower case are alike. */
  readonly text?: string | undefined;
  /** `time`: when its detector last said something new; `updated`: when anything last changed, a decision too. */
  readonly sort?: "time" | "updated" | "accounts" | "evidence" | "detector" | undefined;
  readonly direction?: "asc" | "desc" | undefined;
}

export interface Decision {
  readonly to: FindingStatus;
  /** Who decided: `user:<name>` or `cli:<system user>`. */
  readonly by: string;
  readonly note?: string | undefined;
}

/** Accounts that a person adds to a finding. */
export interface ByHand {
  readonly accounts: readonly string[];
  /** Who says so: `user:<name>` or `cli:<system user>`. */
  readonly by: string;
  /** Why they belong to it; a word without a reason is none. */
  readonly note: string;
}

const MAX_ACCOUNTS = 1_000_000;
/** Whoever has more has a list that a detector should have found. */
const MAX_BY_HAND = 1000;
const MAX_NOTE = 2000;
const ROWS_PER_STATEMENT = 1000;
const SORTED_BY = {
  time: "time_ms",
  updated: "updated_ms",
  accounts: "account_count",
  evidence: "evidence",
  detector: "detector",
} as const;

const text = z.string().min(1).max(512);
const rate = z.number().nonnegative().nullish();
const status: z.ZodType<FindingStatus> = z.enum(["open", "confirmed", "dismissed"]);
/** Members that a later detector adds are kept. */
const findingShape = z.looseObject({
  id: text,
  kind: z.enum(["account", "campaign", "probe"]),
  detector: text,
  accounts: z.array(text).min(1).max(MAX_ACCOUNTS),
  timeMs: z.number(),
  pValue: rate,
  eValue: rate,
  errorRate: z.string().max(4096),
  technique: z.string().max(128).nullable(),
  summary: z.string().max(4096),
  contributions: z.array(z.object({ name: z.string().max(512), value: z.string().max(8192) })).max(1000),
});

export class Findings extends StatePart {
  /** Stores findings, each in its own transaction; one whose id is known is updated and keeps its status. */
  async upsert(
    findings: readonly Finding[],
    { record }: Recorded = {},
  ): Promise<{ raised: number; updated: number }> {
    let raised = 0;
    for (const finding of findings) {
      parse(findingShape, finding, "finding");
      const isNew = await this.db.transaction().execute(async (transaction) => {
        const fresh = await this.#put(transaction, finding);
        const detail = { finding: finding.id, findingKind: finding.kind, detector: finding.detector };
        if (fresh) await record?.([{ act: "finding.raised", account: null, detail }]);
        return fresh;
      });
      if (isNew) raised++;
    }
    return { raised, updated: findings.length - raised };
  }

  async get(id: string): Promise<FindingEntry | null> {
    const row = await this.db.selectFrom("findings").selectAll().where("id", "=", id).executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  /** The finding, or StateError `finding-unknown`. */
  async demand(id: string): Promise<FindingEntry> {
    const entry = await this.get(id);
    if (entry === null) throw unknown(id);
    return entry;
  }

  /** Newest first, unless the query says otherwise. */
  async list(query: FindingQuery = {}): Promise<Page<FindingEntry>> {
    const { sort = "time", direction = "desc" } = query;
    const matching = this.db.selectFrom("findings").where((expression) => matches(expression, query));
    const ordered = matching.selectAll().orderBy(SORTED_BY[sort], direction).orderBy("id");
    return await pageOf(matching, ordered, query, fromRow);
  }

  /** Oldest first. */
  async history(id: string): Promise<FindingEvent[]> {
    const rows = await this.db
      .selectFrom("finding_history")
      .selectAll()
      .where("finding", "=", id)
      .orderBy("number")
      .execute();
    return rows.map((row) => ({
      atMs: Number(row.at_ms),
      by: row.actor,
      from: row.from_status === null ? null : status.parse(row.from_status),
      to: status.parse(row.to_status),
      note: row.note,
    }));
  }

  /** Open findings that name each of the accounts; accounts without one are absent. At most 1000 accounts. */
  async openCounts(accounts: readonly string[]): Promise<Map<string, number>> {
    if (accounts.length === 0) return new Map();
    const rows = await this.db
      .selectFrom("finding_accounts")
      .innerJoin("findings", "findings.id", "finding_accounts.finding")
      .where("findings.status", "=", "open")
      .where("finding_accounts.account", "in", accounts.slice(0, ROWS_PER_STATEMENT))
      .groupBy("finding_accounts.account")
      .select(["finding_accounts.account as account", (expression) => expression.fn.countAll().as("count")])
      .execute();
    return new Map(rows.map((row) => [row.account, Number(row.count)]));
  }

  /** The same status again adds a note to the history. @throws StateError `finding-unknown`, `invalid-fact` */
  async setStatus(
    id: string,
    { to, by, note = "" }: Decision,
    { record }: Recorded = {},
  ): Promise<FindingEntry> {
    parse(status, to, "status");
    parse(z.string().max(MAX_NOTE), note, "note");
    return await this.db.transaction().execute(async (transaction) => {
      const before = await demandIn(transaction, id);
      const updated_ms = this.now();
      await transaction
        .updateTable("findings")
        .set({ status: to, updated_ms })
        .where("id", "=", id)
        .execute();
      await addEvent(transaction, id, { atMs: updated_ms, by, from: before.status, to, note });
      const detail = { finding: id, from: before.status, to, note };
      const acts: Act[] = [{ act: "finding.status-changed", account: null, detail }];
      await record?.(acts);
      return { ...before, status: to, updatedMs: updated_ms };
    });
  }

  /**
   * Names further accounts on a person's word. They stay in the finding whatever its detector says later, and inherit
   * the measures that rest on it. Returns the finding. @throws StateError `finding-unknown`, `account-unknown`, `invalid-fact`
   */
  async addAccounts(
    id: string,
    { accounts: told, by, note }: ByHand,
    { record }: Recorded = {},
  ): Promise<FindingEntry> {
    const added = [...new Set(parse(z.array(text).min(1).max(MAX_BY_HAND), told, "accounts"))].sort();
    const why = parse(z.string().trim().min(1).max(MAX_NOTE), note, "note");
    return await this.db.transaction().execute(async (transaction) => {
      const before = await demandIn(transaction, id);
      await addByHand(transaction, id, added);
      const updated_ms = this.now();
      const accounts = await withNamedByHand(transaction, id, before.finding.accounts);
      const finding = { ...before.finding, accounts };
      const changes = { body: canonicalJson(finding), account_count: accounts.length, updated_ms };
      await transaction.updateTable("findings").set(changes).where("id", "=", id).execute();
      const event = { atMs: updated_ms, by, from: null, to: before.status };
      await addEvent(transaction, id, { ...event, note: `${accountsText(added.length)} added: ${why}` });
      const detail = { finding: id, accounts: added, note: why };
      await record?.([{ act: "finding.accounts-added", account: null, detail }]);
      return { ...before, finding, updatedMs: updated_ms };
    });
  }

  async #put(transaction: Transaction<Tables>, finding: Finding): Promise<boolean> {
    const now = this.now();
    const accounts = await withNamedByHand(transaction, finding.id, finding.accounts);
    const columns = {
      kind: finding.kind,
      detector: finding.detector,
      time_ms: Math.floor(finding.timeMs),
      summary: finding.summary,
      account_count: accounts.length,
      evidence: evidenceOf(finding),
      body: canonicalJson({ ...finding, accounts }),
      updated_ms: now,
    };
    const { id } = finding;
    const known = await transaction
      .selectFrom("findings")
      .select("body")
      .where("id", "=", id)
      .executeTakeFirst();
    if (known?.body === columns.body) return false;
    if (known === undefined) {
      await transaction
        .insertInto("findings")
        .values({ ...columns, id, status: "open", first_ms: now })
        .execute();
      await addEvent(transaction, id, {
        atMs: now,
        by: `detector:${finding.detector}`,
        from: null,
        to: "open",
        note: "",
      });
    } else {
      await transaction.updateTable("findings").set(columns).where("id", "=", id).execute();
    }
    await setDetected(transaction, id, finding.accounts);
    return known === undefined;
  }
}

function matches(
  expression: ExpressionBuilder<Tables, "findings">,
  query: FindingQuery,
): ReturnType<typeof expression.and> {
  const { status: wanted, kind, detector, account, text: part } = query;
  const naming = expression
    .selectFrom("finding_accounts")
    .select("finding_accounts.finding")
    .whereRef("finding_accounts.finding", "=", "findings.id");
  return expression.and([
    ...(wanted === undefined ? [] : [expression("status", "=", wanted)]),
    ...(kind === undefined ? [] : [expression("kind", "=", kind)]),
    ...(detector === undefined ? [] : [expression("detector", "=", detector)]),
    ...(account === undefined
      ? []
      : [expression.exists(naming.where("finding_accounts.account", "=", account))]),
    ...(part === undefined || part === ""
      ? []
      : [
          expression.or([
            containing("findings.id", part),
            containing("findings.summary", part),
            containing("findings.detector", part),
            expression.exists(naming.where(containing("finding_accounts.account", part))),
          ]),
        ]),
  ]);
}

async function demandIn(transaction: Transaction<Tables>, id: string): Promise<FindingEntry> {
  const row = await transaction.selectFrom("findings").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw unknown(id);
  return fromRow(row);
}

async function addEvent(
  transaction: Transaction<Tables>,
  finding: string,
  event: FindingEvent,
): Promise<void> {
  const { last } = await transaction
    .selectFrom("finding_history")
    .where("finding", "=", finding)
    .select(sql<number>`coalesce(max(number), 0)`.as("last"))
    .executeTakeFirstOrThrow();
  const { atMs: at_ms, by: actor, from: from_status, to: to_status, note } = event;
  const number = Number(last) + 1;
  await transaction
    .insertInto("finding_history")
    .values({ finding, number, at_ms, actor, from_status, to_status, note })
    .execute();
}

/** On one scale, so that findings can be put in order: the logarithm of how surprising the evidence is under the null. */
function evidenceOf({ eValue, pValue }: Finding): number {
  if (typeof eValue === "number") return Math.log(Math.max(eValue, Number.MIN_VALUE));
  return typeof pValue === "number" ? -Math.log(Math.max(pValue, Number.MIN_VALUE)) : 0;
}

function unknown(id: string): StateError {
  return new StateError("finding-unknown", `expected a known finding, got ${JSON.stringify(id)}`);
}

function fromRow(row: Selectable<FindingsTable>): FindingEntry {
  return {
    // Checked by `upsert` before it was stored.
    finding: JSON.parse(row.body) as Finding,
    status: status.parse(row.status),
    firstMs: Number(row.first_ms),
    updatedMs: Number(row.updated_ms),
  };
}
