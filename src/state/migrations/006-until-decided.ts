// A weaker measure may hold while a proposal waits for its approver.
import type { Kysely, Migration } from "kysely";

export const untilDecided: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable("verdicts").addColumn("interim_measure", "text").execute();
    await db.schema.alterTable("verdicts").addColumn("interim_from_ms", "bigint").execute();
    await db.schema.alterTable("verdicts").addColumn("interim_until_ms", "bigint").execute();
  },
};
