// Counters that change with every change of a subject, so that other processes can ask cheaply what is new.
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";

/** One counter for accounts, keys, organisations and end-user keys, because authenticating a request needs all. */
export const ACCOUNTS_AND_KEYS = "accounts-and-keys";
/** Verdicts and the measures that follow from them. */
export const VERDICTS = "verdicts";

/**
 * The next value; readers see it together with the rows that carry it, because it is the same transaction. Writers of
 * one counter wait for each other, so a smaller value never becomes visible after a larger one.
 */
export async function nextRevision(
  transaction: Transaction<Tables>,
  name: string = ACCOUNTS_AND_KEYS,
): Promise<number> {
  const { revision } = await transaction
    .insertInto("revisions")
    .values({ name, revision: 1 })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((expression) => ({
        revision: expression("revisions.revision", "+", 1),
      })),
    )
    .returning("revision")
    .executeTakeFirstOrThrow();
  return Number(revision);
}

/** The value at the last change; 0 before the first. One row by its key, on SQLite and PostgreSQL alike. */
export async function currentRevision(db: Kysely<Tables>, name: string = ACCOUNTS_AND_KEYS): Promise<number> {
  const row = await db.selectFrom("revisions").select("revision").where("name", "=", name).executeTakeFirst();
  return Number(row?.revision ?? 0);
}
