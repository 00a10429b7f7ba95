// The first tables: accounts, keys, findings, people. Portable between SQLite and PostgreSQL.
import type { Kysely, Migration } from "kysely";

export const controlPlane: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await accountsAndKeys(db);
    await findings(db);
    await people(db);
    await db.schema
      .createTable("settings")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("value", "text", (column) => column.notNull())
      .addColumn("updated_ms", "bigint", (column) => column.notNull())
      .execute();
  },
};

async function accountsAndKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("revisions")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("revision", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("accounts")
    .addColumn("account", "text", (column) => column.primaryKey())
    .addColumn("created", "text")
    .addColumn("plan", "text")
    .addColumn("payment", "text")
    .addColumn("email_domain", "text")
    .addColumn("country", "text")
    .addColumn("organization", "text")
    .addColumn("declared_use", "text")
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("recorded_ms", "bigint", (column) => column.notNull())
    .addColumn("updated_ms", "bigint", (column) => column.notNull())
    .addColumn("revision", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("accounts_by_revision").on("accounts").column("revision").execute();
  await db.schema
    .createTable("keys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("hash", "text", (column) => column.notNull().unique())
    .addColumn("account", "text", (column) => column.notNull().references("accounts.account"))
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addColumn("expires_ms", "bigint")
    .addColumn("revoked_ms", "bigint")
    .addColumn("revision", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("keys_by_revision").on("keys").columns(["revision", "id"]).execute();
  await db.schema.createIndex("keys_by_account").on("keys").column("account").execute();
}

async function findings(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("findings")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("detector", "text", (column) => column.notNull())
    .addColumn("time_ms", "bigint", (column) => column.notNull())
    .addColumn("summary", "text", (column) => column.notNull())
    .addColumn("account_count", "integer", (column) => column.notNull())
    .addColumn("evidence", "double precision", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("first_ms", "bigint", (column) => column.notNull())
    .addColumn("updated_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("findings_by_time").on("findings").columns(["time_ms", "id"]).execute();
  await db.schema
    .createTable("finding_accounts")
    .addColumn("finding", "text", (column) => column.notNull().references("findings.id"))
    .addColumn("account", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("finding_accounts_key", ["finding", "account"])
    .execute();
  await db.schema
    .createIndex("finding_accounts_by_account")
    .on("finding_accounts")
    .column("account")
    .execute();
  await db.schema
    .createTable("finding_history")
    .addColumn("finding", "text", (column) => column.notNull().references("findings.id"))
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("from_status", "text")
    .addColumn("to_status", "text", (column) => column.notNull())
    .addColumn("note", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("finding_history_key", ["finding", "number"])
    .execute();
}

async function people(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("users")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addColumn("disabled_ms", "bigint")
    .execute();
  await db.schema
    .createTable("sign_in_links")
    .addColumn("hash", "text", (column) => column.primaryKey())
    .addColumn("user_name", "text", (column) => column.notNull().references("users.name"))
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addColumn("expires_ms", "bigint", (column) => column.notNull())
    .addColumn("used_ms", "bigint")
    .execute();
  await db.schema.createIndex("sign_in_links_by_user").on("sign_in_links").column("user_name").execute();
  await db.schema
    .createTable("sessions")
    .addColumn("hash", "text", (column) => column.primaryKey())
    .addColumn("user_name", "text", (column) => column.notNull().references("users.name"))
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addColumn("expires_ms", "bigint", (column) => column.notNull())
    .addColumn("ended_ms", "bigint")
    .execute();
  await db.schema.createIndex("sessions_by_user").on("sessions").column("user_name").execute();
}
