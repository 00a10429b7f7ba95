// Whom a finding names: what its detector says now, and whom a person added, who stays whatever the detector says.
import type { Transaction } from "kysely";
import { StateError } from "./errors.ts";
import type { Tables } from "./schema.ts";

const ROWS_PER_STATEMENT = 1000;

/** The detector's accounts and those added by hand, sorted. */
export async function withNamedByHand(
  transaction: Transaction<Tables>,
  finding: string,
  accounts: readonly string[],
): Promise<string[]> {
  const rows = await transaction
    .selectFrom("finding_accounts")
    .select("account")
    .where("finding", "=", finding)
    .where("by_hand", "=", 1)
    .execute();
  return [...new Set([...accounts, ...rows.map(({ account }) => account)])].sort();
}

/** Replaces whom the detector names; those added by hand stay as they are. */
export async function setDetected(
  transaction: Transaction<Tables>,
  finding: string,
  accounts: readonly string[],
): Promise<void> {
  await transaction
    .deleteFrom("finding_accounts")
    .where("finding", "=", finding)
    .where("by_hand", "=", 0)
    .execute();
  await insert(transaction, finding, accounts, 0);
}

/** @throws StateError `account-unknown` when nobody has heard of one of them */
export async function addByHand(
  transaction: Transaction<Tables>,
  finding: string,
  accounts: readonly string[],
): Promise<void> {
  for (let start = 0; start < accounts.length; start += ROWS_PER_STATEMENT) {
    const some = accounts.slice(start, start + ROWS_PER_STATEMENT);
    const rows = await transaction
      .selectFrom("accounts")
      .select("account")
      .where("account", "in", some)
      .execute();
    const known = new Set(rows.map(({ account }) => account));
    const stranger = some.find((account) => !known.has(account));
    if (stranger !== undefined)
      throw new StateError("account-unknown", `expected a known account, got ${JSON.stringify(stranger)}`);
  }
  await insert(transaction, finding, accounts, 1);
}

async function insert(
  transaction: Transaction<Tables>,
  finding: string,
  accounts: readonly string[],
  by_hand: 0 | 1,
): Promise<void> {
  for (let start = 0; start < accounts.length; start += ROWS_PER_STATEMENT) {
    const rows = accounts
      .slice(start, start + ROWS_PER_STATEMENT)
      .map((account) => ({ finding, account, by_hand }));
    await transaction
      .insertInto("finding_accounts")
      .values(rows)
      // Whoever was added by hand stays so; whom the detector named already is from now on named by hand too.
      .onConflict((conflict) =>
        by_hand === 0
          ? conflict.columns(["finding", "account"]).doNothing()
          : conflict.columns(["finding", "account"]).doUpdateSet({ by_hand }),
      )
      .execute();
  }
}
