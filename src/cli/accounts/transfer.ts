// Takes lists of accounts in and writes them out, so that identities can move between systems.
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify";
import type { AccountFacts } from "../../core/account.ts";
import type { ActRecorder } from "../../core/acts.ts";
import type { Account } from "../../state/accounts.ts";
import type { AdoptedKey } from "../../state/keys.ts";
import type { State } from "../../state/state.ts";
import { CliError } from "../errors.ts";
import { type Format, readRows } from "./rows.ts";

export interface ImportCounts {
  readonly created: number;
  readonly changed: number;
  readonly keysAdopted: number;
  readonly rejected: number;
  /** The first of them. */
  readonly rejections: readonly { readonly line: number; readonly reason: string }[];
}

const BATCH = 1_000;
const PAGE = 1_000;
const REJECTIONS_TOLD = 20;
const FILE_MODE = 0o600;

export interface ImportOptions {
  readonly format: Format;
  /** Take over the keys of a LiteLLM table too. */
  readonly keys: boolean;
  readonly record: ActRecorder;
  readonly by: string;
}

/** After an error some accounts may be in; running it again makes nothing twice. */
export async function importAccounts(
  state: State,
  file: string,
  options: ImportOptions,
): Promise<ImportCounts> {
  const run = new ImportRun(state, options);
  for await (const row of readRows(file, options.format)) {
    if ("reason" in row) run.reject(row);
    else await run.take(row.facts, row.key);
  }
  await run.flush();
  return run.counts();
}

class ImportRun {
  readonly #state: State;
  readonly #options: ImportOptions;
  readonly #organizations = new Set<string>();
  readonly #rejections: { line: number; reason: string }[] = [];
  #facts: AccountFacts[] = [];
  #keys: AdoptedKey[] = [];
  #created = 0;
  #changed = 0;
  #adopted = 0;
  #rejected = 0;

  constructor(state: State, options: ImportOptions) {
    this.#state = state;
    this.#options = options;
  }

  reject({ line, reason }: { line: number; reason: string }): void {
    this.#rejected += 1;
    if (this.#rejections.length < REJECTIONS_TOLD) this.#rejections.push({ line, reason });
  }

  async take(facts: AccountFacts, key: AdoptedKey | null): Promise<void> {
    this.#facts.push(facts);
    if (key !== null && this.#options.keys) this.#keys.push(key);
    if (this.#facts.length >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const { record, by } = this.#options;
    const { created, changed } = await this.#state.accounts.ensureAll(this.#facts, { record, by });
    this.#created += created;
    this.#changed += changed;
    for (const { organization } of this.#facts) {
      if (organization === null || this.#organizations.has(organization)) continue;
      this.#organizations.add(organization);
      await this.#state.organizations.put({ organization }, { record, by });
    }
    this.#adopted += (await this.#state.keys.adopt(this.#keys, { record, by })).adopted;
    this.#facts = [];
    this.#keys = [];
  }

  counts(): ImportCounts {
    return {
      created: this.#created,
      changed: this.#changed,
      keysAdopted: this.#adopted,
      rejected: this.#rejected,
      rejections: this.#rejections,
    };
  }
}

/** Every account with its facts, in the order of names. Keys are not among them. Returns how many. */
export async function exportAccounts(
  state: State,
  file: string,
  { format }: { format: "csv" | "jsonl" },
): Promise<number> {
  let count = 0;
  async function* rows(): AsyncGenerator<Record<string, string | null>> {
    let after: string | undefined;
    for (;;) {
      const page = await state.accounts.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
      count += page.length;
      for (const account of page) yield neutral(account);
      if (page.length < PAGE) return;
      after = page.at(-1)?.account;
    }
  }
  const target = createWriteStream(file, { mode: FILE_MODE, flags: "wx" });
  try {
    // Names come from customers: a spreadsheet must not take one for a formula.
    if (format === "csv")
      await pipeline(
        Readable.from(rows()),
        stringify({ header: true, columns: COLUMNS, escape_formulas: true }),
        target,
      );
    else await pipeline(Readable.from(rows()), jsonLines, target);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("usage", `expected a new file at ${file}, got: ${reason}`, { cause });
  }
  return count;
}

const COLUMNS = [
  "account",
  "created",
  "plan",
  "payment",
  "email_domain",
  "country",
  "organization",
  "declared_use",
];

async function* jsonLines(rows: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** The neutral form, which the import of accounts and of exchanges reads. */
function neutral(account: Account): Record<string, string | null> {
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
