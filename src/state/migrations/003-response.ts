// The tables of response: verdicts with the accounts they name, appeals, outcomes, spent budgets, alerts to send.
import type { Kysely, Migration } from "kysely";

export const response: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await verdicts(db);
    await appealsAndOutcomes(db);
    await db.schema
      .createTable("budget_stops")
      .addColumn("budget", "text", (column) => column.notNull())
      .addColumn("scope", "text", (column) => column.notNull())
      .addColumn("until_ms", "bigint", (column) => column.notNull())
      .addColumn("revision", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("budget_stops_key", ["budget", "scope"])
      .execute();
    await db.schema.createIndex("budget_stops_by_revision").on("budget_stops").column("revision").execute();
    await db.schema
      .createTable("alerts")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("target", "text", (column) => column.notNull())
      .addColumn("event", "text", (column) => column.notNull())
      .addColumn("subject", "text", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("attempts", "integer", (column) => column.notNull())
      .addColumn("created_ms", "bigint", (column) => column.notNull())
      .addColumn("next_ms", "bigint", (column) => column.notNull())
      .addColumn("ended_ms", "bigint")
      .addColumn("error", "text")
      .addUniqueConstraint("alerts_once", ["target", "event", "subject"])
      .execute();
    await db.schema.createIndex("alerts_due").on("alerts").columns(["status", "next_ms"]).execute();
  },
};

async function verdicts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("verdicts")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("finding", "text")
    .addColumn("detector", "text")
    .addColumn("rule", "text")
    .addColumn("policy", "text")
    .addColumn("measure", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("shadow", "integer", (column) => column.notNull())
    .addColumn("life_ms", "bigint", (column) => column.notNull())
    .addColumn("inherit_limit", "integer", (column) => column.notNull())
    .addColumn("account_count", "integer", (column) => column.notNull())
    .addColumn("inherited_count", "integer", (column) => column.notNull())
    .addColumn("proposed_ms", "bigint", (column) => column.notNull())
    .addColumn("effective_ms", "bigint")
    .addColumn("expires_ms", "bigint")
    .addColumn("ended_ms", "bigint")
    .addColumn("revision", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("verdicts_by_status").on("verdicts").column("status").execute();
  await db.schema.createIndex("verdicts_by_finding").on("verdicts").column("finding").execute();
  await db.schema.createIndex("verdicts_by_revision").on("verdicts").column("revision").execute();
  await db.schema
    .createTable("verdict_accounts")
    .addColumn("verdict", "text", (column) => column.notNull().references("verdicts.id"))
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("reference", "text", (column) => column.notNull().unique())
    .addColumn("joined_ms", "bigint", (column) => column.notNull())
    .addColumn("inherited", "integer", (column) => column.notNull())
    .addColumn("released_ms", "bigint")
    .addColumn("revision", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("verdict_accounts_key", ["verdict", "account"])
    .execute();
  await db.schema
    .createIndex("verdict_accounts_by_account")
    .on("verdict_accounts")
    .column("account")
    .execute();
  await db.schema
    .createIndex("verdict_accounts_by_revision")
    .on("verdict_accounts")
    .column("revision")
    .execute();
  await db.schema
    .createTable("verdict_history")
    .addColumn("verdict", "text", (column) => column.notNull().references("verdicts.id"))
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("step", "text", (column) => column.notNull())
    .addColumn("note", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("verdict_history_key", ["verdict", "number"])
    .execute();
}

async function appealsAndOutcomes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("appeals")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("verdict", "text", (column) => column.notNull().references("verdicts.id"))
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("reference", "text", (column) => column.notNull())
    .addColumn("statement", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("filed_ms", "bigint", (column) => column.notNull())
    .addColumn("decided_ms", "bigint")
    .addColumn("decided_by", "text")
    .addColumn("reason", "text")
    .execute();
  await db.schema.createIndex("appeals_by_reference").on("appeals").column("reference").execute();
  await db.schema.createIndex("appeals_by_status").on("appeals").columns(["status", "filed_ms"]).execute();
  await db.schema
    .createTable("outcomes")
    .addColumn("verdict", "text", (column) => column.notNull().references("verdicts.id"))
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("detector", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("outcomes_key", ["verdict", "account"])
    .execute();
  await db.schema.createIndex("outcomes_by_detector").on("outcomes").column("detector").execute();
}
