// A counter that changes with every change of accounts and keys, so that other processes can ask cheaply what is new.
import type { Transaction } from "kysely";
import type { Tables } from "./schema.ts";

/** One counter for both, because authenticating a key needs both. */
export const ACCOUNTS_AND_KEYS = "accounts-and-keys";

/** The next value; readers see it together with the rows that carry it, because it is the same transaction. */
export async function nextRevision(transaction: Transaction<Tables>): Promise<number> {
  const { revision } = await transaction
    .insertInto("revisions")
    .values({ name: ACCOUNTS_AND_KEYS, revision: 1 })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((expression) => ({
        revision: expression("revisions.revision", "+", 1),
      })),
    )
    .returning("revision")
    .executeTakeFirstOrThrow();
  return Number(revision);
}
