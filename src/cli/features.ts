// Binds the features to this installation's secret: without it, stored hashes can't be tested against guesses.
import { accountRows } from "../detect/features/account-rows.ts";
import { FEATURE_COLUMNS } from "../detect/features/columns.ts";
import { rowsOf } from "../detect/features/rows.ts";
import type { Keyring } from "../log/keyring.ts";
import type { Features } from "./derive.ts";

export function featuresOf(keys: Keyring): Features {
  const secret = { secret: keys.purposeKey("features") };
  return {
    rowsOf: (exchange) => rowsOf(exchange, secret),
    accountRows: (facts) => accountRows(facts, secret),
    columns: FEATURE_COLUMNS,
  };
}
