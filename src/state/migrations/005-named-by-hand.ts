// Accounts that a person added to a finding stay in it, whatever the detector says later.
import type { Kysely, Migration } from "kysely";

export const namedByHand: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable("finding_accounts")
      .addColumn("by_hand", "integer", (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
