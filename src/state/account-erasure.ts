// Makes the control plane forget an account: its facts go, and its name becomes the pseudonym that the log has for it.
import { type Kysely, PostgresAdapter, SqliteAdapter, sql, type Transaction } from "kysely";
import { canonicalJson } from "../core/canonical-json.ts";
import { nextRevision } from "./revision.ts";
import type { Tables } from "./schema.ts";

/** In place of what people wrote in words of their own. */
const ERASED = "(erased)";
/** Cases are kept for a claim or a prosecution, and hold only what is needed for it: their deletion is their own. */
const KEPT = /^(accounts|cases|case_.*|approvals|kysely_.*)$/;

export interface AccountErasure {
  readonly name: string;
  /** `p_…`, by which leaves name the account. */
  readonly pseudonym: string;
}

/**
 * Erases what the state knows of an account: keys stop working, facts and statements go, and verdicts, findings and
 * appeals stay under the pseudonym. Every table with a column `account` is covered, also one that is yet to come. Safe
 * to repeat. The database is compacted afterwards, so that no page keeps the old rows.
 */
export async function eraseAccount(
  db: Kysely<Tables>,
  { name, pseudonym }: AccountErasure,
  now: () => number,
): Promise<void> {
  const tables = (await db.introspection.getTables()).filter(
    (table) => !KEPT.test(table.name) && table.columns.some((column) => column.name === "account"),
  );
  await db.transaction().execute(async (transaction) => {
    await makeAlias(transaction, { name, pseudonym }, now());
    await forgetStatements(transaction, name);
    await retellFindings(transaction, { name, pseudonym });
    await dropDoubles(transaction, { name, pseudonym });
    for (const table of tables)
      await sql`update ${sql.table(table.name)} set account = ${pseudonym} where account = ${name}`.execute(
        transaction,
      );
    await transaction
      .updateTable("budget_stops")
      .set({ scope: `account:${pseudonym}` })
      .where("scope", "=", `account:${name}`)
      .execute();
    await transaction.deleteFrom("accounts").where("account", "=", name).execute();
  });
  await compact(db);
}

/** The row that others may refer to from now on: no facts, and no requests any more. */
async function makeAlias(
  transaction: Transaction<Tables>,
  { name, pseudonym }: AccountErasure,
  nowMs: number,
): Promise<void> {
  const known = await transaction
    .selectFrom("accounts")
    .selectAll()
    .where("account", "=", name)
    .executeTakeFirst();
  if (known === undefined) return;
  const nothing = { created: null, plan: null, payment: null, email_domain: null, country: null };
  const row = { ...known, ...nothing, organization: null, declared_use: null };
  const revision = await nextRevision(transaction);
  await transaction
    .insertInto("accounts")
    .values({ ...row, account: pseudonym, status: "suspended", updated_ms: nowMs, revision })
    .onConflict((conflict) => conflict.column("account").doNothing())
    .execute();
  await transaction
    .updateTable("keys")
    .set({ label: ERASED, revision })
    .where("account", "=", name)
    .execute();
  await transaction
    .updateTable("keys")
    .set({ revoked_ms: nowMs })
    .where("account", "=", name)
    .where("revoked_ms", "is", null)
    .execute();
}

/** Statements about or by the account, and messages about it that were to be sent. */
async function forgetStatements(transaction: Transaction<Tables>, name: string): Promise<void> {
  for (const table of ["verifications", "declared_uses", "identity_history"] as const)
    await transaction
      .deleteFrom(table)
      .where("subject_kind", "=", "account")
      .where("subject", "=", name)
      .execute();
  await transaction.updateTable("appeals").set({ statement: ERASED }).where("account", "=", name).execute();
  await transaction
    .updateTable("verdict_history")
    .set({ note: ERASED })
    .where("note", "!=", "")
    .where("verdict", "in", (query) =>
      query.selectFrom("verdict_accounts").select("verdict").where("account", "=", name),
    )
    .execute();
  await transaction
    .deleteFrom("alerts")
    .where(sql<boolean>`replace(body, ${JSON.stringify(name)}, '') <> body`)
    .execute();
}

/** An account that came back and is erased again may stand in a list twice: under its name and its pseudonym. */
async function dropDoubles(
  transaction: Transaction<Tables>,
  { name, pseudonym }: AccountErasure,
): Promise<void> {
  for (const [table, list] of [
    ["finding_accounts", "finding"],
    ["verdict_accounts", "verdict"],
    ["outcomes", "verdict"],
  ] as const) {
    const [rows, key] = [sql.table(table), sql.ref(list)];
    await sql`delete from ${rows} where account = ${name}
      and ${key} in (select ${key} from ${rows} where account = ${pseudonym})`.execute(transaction);
  }
}

/** Findings name their accounts in their body and in words: both say the pseudonym from now on. */
async function retellFindings(
  transaction: Transaction<Tables>,
  { name, pseudonym }: AccountErasure,
): Promise<void> {
  const rows = await transaction
    .selectFrom("findings")
    .select(["id", "body", "summary"])
    .where("id", "in", (query) =>
      query.selectFrom("finding_accounts").select("finding").where("account", "=", name),
    )
    .execute();
  const word = new RegExp(`(?<![\\w-])${escaped(name)}(?![\\w-])`, "gu");
  const retold = (text: string): string => text.replaceAll(word, pseudonym);
  for (const { id, body, summary } of rows) {
    const finding: unknown = JSON.parse(body, (_key, value: unknown) =>
      typeof value === "string" ? retold(value) : value,
    );
    await transaction
      .updateTable("findings")
      .set({ body: canonicalJson(finding), summary: retold(summary) })
      .where("id", "=", id)
      .execute();
    await transaction
      .updateTable("finding_history")
      .set({ note: ERASED })
      .where("finding", "=", id)
      .where("note", "!=", "")
      .execute();
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Deleted rows stay in free pages and in the write-ahead log until the file is written anew. */
async function compact(db: Kysely<Tables>): Promise<void> {
  const { adapter } = db.getExecutor();
  if (adapter instanceof SqliteAdapter) {
    await sql`vacuum`.execute(db);
    await sql`pragma wal_checkpoint(truncate)`.execute(db);
  } else if (adapter instanceof PostgresAdapter) await sql`vacuum full`.execute(db);
}
