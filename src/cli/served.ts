// What accounts were served so far, as the policy asks for it.
import type { Take } from "../respond/choose.ts";
import { SELECT_FIGURES } from "../store/queries/console.ts";
import type { Store } from "../store/store.ts";

/** Everything that was answered to these accounts: an upper bound of what was copied. */
export async function servedTo(store: Store, accounts: readonly string[]): Promise<Take> {
  const [row] = await store.query<{ exchanges: number; failed: number; completion_tokens: number }>(
    SELECT_FIGURES,
    { accounts },
  );
  return { exchanges: (row?.exchanges ?? 0) - (row?.failed ?? 0), tokens: row?.completion_tokens ?? 0 };
}
