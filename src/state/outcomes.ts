// A detector's record: how often people found its word right or wrong.
import { sql, type Transaction } from "kysely";
import { StatePart } from "./part.ts";
import type { Tables } from "./schema.ts";
import type { Verdict } from "./verdict-rows.ts";

/** Accounts that a detector named and people judged. */
export interface DetectorRecord {
  readonly detector: string;
  readonly upheld: number;
  readonly wrong: number;
}

/** The latest judgement of an account replaces an earlier one. Verdicts that rest on no detector leave no trace. */
export async function recordOutcome(
  transaction: Transaction<Tables>,
  {
    verdict,
    account,
    outcome,
    atMs,
  }: { verdict: Verdict; account: string; outcome: "upheld" | "wrong"; atMs: number },
): Promise<void> {
  if (verdict.detector === null) return;
  const row = { verdict: verdict.id, account, detector: verdict.detector, outcome, at_ms: atMs };
  await transaction
    .insertInto("outcomes")
    .values(row)
    .onConflict((conflict) => conflict.columns(["verdict", "account"]).doUpdateSet({ outcome, at_ms: atMs }))
    .execute();
}

/** The same for every account of a verdict, in one statement: a campaign may name thousands. */
export async function recordOutcomes(
  transaction: Transaction<Tables>,
  { verdict, outcome, atMs }: { verdict: Verdict; outcome: "upheld" | "wrong"; atMs: number },
): Promise<void> {
  const { detector } = verdict;
  if (detector === null) return;
  await transaction
    .insertInto("outcomes")
    .columns(["verdict", "account", "detector", "outcome", "at_ms"])
    .expression((from) =>
      from
        .selectFrom("verdict_accounts")
        .where("verdict", "=", verdict.id)
        .select((row) => [
          "verdict",
          "account",
          row.val(detector).as("detector"),
          row.val(outcome).as("outcome"),
          row.cast<number>(row.val(atMs), "bigint").as("at_ms"),
        ]),
    )
    .onConflict((conflict) => conflict.columns(["verdict", "account"]).doUpdateSet({ outcome, at_ms: atMs }))
    .execute();
}

export class Outcomes extends StatePart {
  /** In the order of the detectors' names; detectors that nobody judged are absent. */
  async byDetector(): Promise<DetectorRecord[]> {
    const rows = await this.db
      .selectFrom("outcomes")
      .groupBy("detector")
      .orderBy("detector")
      .select([
        "detector",
        sql<number>`sum(case when outcome = 'upheld' then 1 else 0 end)`.as("upheld"),
        sql<number>`sum(case when outcome = 'wrong' then 1 else 0 end)`.as("wrong"),
      ])
      .execute();
    return rows.map(({ detector, upheld, wrong }) => ({
      detector,
      upheld: Number(upheld),
      wrong: Number(wrong),
    }));
  }
}
