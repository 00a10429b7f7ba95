// The tables of cases: what is investigated, the chain of custody, findings as they were, and second persons' approvals.
import type { Kysely, Migration } from "kysely";

export const cases: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("cases")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("title", "text", (column) => column.notNull())
      .addColumn("purpose", "text", (column) => column.notNull())
      .addColumn("authority", "text", (column) => column.notNull())
      .addColumn("custodian", "text", (column) => column.notNull())
      .addColumn("jurisdiction", "text", (column) => column.notNull())
      .addColumn("tlp", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("opened_ms", "bigint", (column) => column.notNull())
      .addColumn("updated_ms", "bigint", (column) => column.notNull())
      .addColumn("log_size", "bigint", (column) => column.notNull())
      .addColumn("checkpoint", "text")
      .addColumn("entries", "integer", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("cases_by_time").on("cases").columns(["opened_ms", "id"]).execute();
    await db.schema
      .createTable("case_entries")
      .addColumn("case_id", "text", (column) => column.notNull().references("cases.id"))
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("at_ms", "bigint", (column) => column.notNull())
      .addColumn("actor", "text", (column) => column.notNull())
      .addColumn("what", "text", (column) => column.notNull())
      .addColumn("subject", "text", (column) => column.notNull())
      .addColumn("tool", "text", (column) => column.notNull())
      .addColumn("authority", "text", (column) => column.notNull())
      .addColumn("result", "text", (column) => column.notNull())
      .addColumn("text", "text")
      .addColumn("digest", "text")
      .addPrimaryKeyConstraint("case_entries_key", ["case_id", "number"])
      .execute();
    await db.schema
      .createTable("case_findings")
      .addColumn("case_id", "text", (column) => column.notNull().references("cases.id"))
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("finding", "text", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("case_findings_key", ["case_id", "number"])
      .execute();
    await approvals(db);
  },
};

async function approvals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("approvals")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("requested_by", "text", (column) => column.notNull())
    .addColumn("requested_ms", "bigint", (column) => column.notNull())
    .addColumn("decided_by", "text")
    .addColumn("decided_ms", "bigint")
    .addColumn("decision", "text")
    .addColumn("note", "text")
    .addColumn("used_ms", "bigint")
    .execute();
  await db.schema
    .createIndex("approvals_by_subject")
    .on("approvals")
    .columns(["action", "subject"])
    .execute();
}
