// The tables of identities: organisations, what was verified and declared, their history, tenants' signing keys, machines' tokens.
import type { Kysely, Migration } from "kysely";

export const identities: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await organizations(db);
    await standing(db);
    await keysAndTokens(db);
  },
};

async function organizations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("organizations")
    .addColumn("organization", "text", (column) => column.primaryKey())
    .addColumn("plan", "text")
    .addColumn("country", "text")
    .addColumn("email_domain", "text")
    .addColumn("contact", "text")
    .addColumn("recorded_ms", "bigint", (column) => column.notNull())
    .addColumn("updated_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("accounts_by_organization").on("accounts").column("organization").execute();
}

/** `subject_kind` and `subject` name an account or an organisation; either may be unknown otherwise. */
async function standing(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("verifications")
    .addColumn("subject_kind", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("reference", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("expires_ms", "bigint")
    .addColumn("actor", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("verifications_key", ["subject_kind", "subject", "kind"])
    .execute();
  await db.schema
    .createTable("declared_uses")
    .addColumn("subject_kind", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("use_name", "text", (column) => column.notNull())
    .addColumn("statement", "text", (column) => column.notNull())
    .addColumn("reference", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("until_ms", "bigint")
    .addColumn("withdrawn_ms", "bigint")
    .addColumn("actor", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("declared_uses_key", ["subject_kind", "subject", "use_name"])
    .execute();
  await db.schema
    .createTable("identity_history")
    .addColumn("subject_kind", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("act", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("identity_history_key", ["subject_kind", "subject", "number"])
    .execute();
}

async function keysAndTokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("end_user_keys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("organization", "text", (column) => column.notNull().references("organizations.organization"))
    .addColumn("algorithm", "text", (column) => column.notNull())
    .addColumn("public_key", "text")
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addColumn("expires_ms", "bigint")
    .addColumn("revoked_ms", "bigint")
    .addColumn("revision", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("end_user_keys_by_revision").on("end_user_keys").column("revision").execute();
  await db.schema
    .createTable("api_tokens")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("hash", "text", (column) => column.notNull().unique())
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("scopes", "text", (column) => column.notNull())
    .addColumn("creator", "text", (column) => column.notNull())
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addColumn("expires_ms", "bigint", (column) => column.notNull())
    .addColumn("revoked_ms", "bigint")
    .addColumn("used_ms", "bigint")
    .execute();
  await db.schema
    .createTable("user_identities")
    .addColumn("issuer", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("user_name", "text", (column) => column.notNull().references("users.name"))
    .addColumn("created_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("user_identities_key", ["issuer", "subject"])
    .execute();
}
