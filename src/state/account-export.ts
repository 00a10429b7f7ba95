// Writes all accounts with their facts as a list, so that identities can move between systems. Keys are not among them.
import { Readable } from "node:stream";
import { stringify } from "csv-stringify";
import { ACCOUNT_COLUMNS } from "./account-rows.ts";
import type { Account } from "./accounts.ts";
import type { State } from "./state.ts";

export type ExportFormat = "csv" | "jsonl";

const PAGE = 1000;

/** The list as bytes, in the order of names; `onAccount` is called for each. */
export function exportedAccounts(
  state: State,
  { format, onAccount = () => {} }: { readonly format: ExportFormat; readonly onAccount?: () => void },
): Readable {
  const rows = neutralRows(state, onAccount);
  if (format === "jsonl") return Readable.from(jsonLines(rows), { objectMode: false });
  // Names come from customers: a spreadsheet must not take one for a formula.
  const csv = stringify({ header: true, columns: [...ACCOUNT_COLUMNS], escape_formulas: true });
  const source = Readable.from(rows);
  source.once("error", (error) => csv.destroy(error));
  return source.pipe(csv);
}

async function* neutralRows(state: State, onAccount: () => void): AsyncGenerator<NeutralRow> {
  let after: string | undefined;
  for (;;) {
    const page = await state.accounts.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const account of page) {
      onAccount();
      yield neutral(account);
    }
    if (page.length < PAGE) return;
    after = page.at(-1)?.account;
  }
}

async function* jsonLines(rows: AsyncIterable<NeutralRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

type NeutralRow = Record<string, string | null>;

/** The neutral form, which the import of accounts and of exchanges reads. */
function neutral(account: Account): NeutralRow {
  return {
    account: account.account,
    created: account.created,
    plan: account.plan,
    payment: account.payment,
    email_domain: account.emailDomain,
    country: account.country,
    organization: account.organization,
    declared_use: account.declaredUse,
  };
}
