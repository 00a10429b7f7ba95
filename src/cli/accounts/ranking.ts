// What `adyton accounts unusual` does: ranks what is stored, and says why each account is where it is.
import { figure } from "../../detect/assertion.ts";
import { mainStreamOf, type Ranking, STREAMS } from "../../detect/unusual/rank-accounts.ts";
import { rankStored } from "../../detect/unusual/rank-stored.ts";
import type { Context } from "../context.ts";
import { withStore } from "../with-store.ts";

/** @throws StoreError `store.locked` while a server holds the embedded store */
export async function showUnusual(
  context: Context,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): Promise<void> {
  const level = context.config.detect.falseDiscoveryRate;
  print(context, await withStore(context, (store) => rankStored(store, { nowMs, level })), limit);
}

function print({ output }: Context, ranking: Ranking, limit: number): void {
  const { accounts, kinds, rejected, neededAlone } = ranking;
  const shown = accounts.slice(0, limit);
  output.result({ ...ranking, streams: STREAMS, accounts: shown, total: accounts.length }, () => {
    if (shown.length === 0) return output.line("No account has an answered exchange.");
    output.table(shown, [
      { title: "account", cell: ({ account }) => account, width: 40 },
      { title: "e", cell: ({ eValue }) => figure(eValue), right: true },
      { title: "p in its kind", cell: ({ rank }) => figure(rank), right: true },
      { title: "mostly because it", cell: mainStreamOf, width: 45 },
      { title: "different inputs", cell: ({ counts }) => counts.inputs, right: true },
      { title: "hours", cell: ({ counts }) => counts.hours, right: true },
      { title: "kind", cell: ({ kind, kindAccounts }) => `${kindAccounts}: ${kind}`, width: 100 },
    ]);
    output.line();
    output.line(
      `${accounts.length} accounts of ${kinds} kinds. e-BH over all of them rejects ${rejected}; one account alone would need e = ${figure(neededAlone)}.`,
    );
  });
}
