// Takes a list of accounts in, or says what that would do: rows that are wrong are told by their line, all others count.
import { setImmediate } from "node:timers/promises";
import type { AccountFacts } from "../core/account.ts";
import type { ActRecorder } from "../core/acts.ts";
import type { AccountRow, ListFormat } from "./account-rows.ts";
import { isChangedBy, overlay } from "./accounts.ts";
import type { AdoptedKey } from "./keys.ts";
import type { State } from "./state.ts";

export interface ImportReport {
  /** Nothing was changed: the figures say what would be. */
  readonly dryRun: boolean;
  /** Rows read, those that were rejected included. */
  readonly rows: number;
  readonly created: number;
  readonly changed: number;
  readonly keysAdopted: number;
  /** Keys that are here already, from an earlier run or twice in the list; they stay as they are. */
  readonly keysKnown: number;
  /** Keys that the other gateway refuses: they are left out. */
  readonly keysBlocked: number;
  readonly rejected: number;
  /** The first `MAX_REJECTIONS` of them. */
  readonly rejections: readonly { readonly line: number; readonly reason: string }[];
}

export interface ImportOptions {
  readonly format: ListFormat;
  /** Take over the keys of a LiteLLM table too. */
  readonly keys: boolean;
  readonly dryRun: boolean;
  readonly record: ActRecorder;
  readonly by: string;
}

export const MAX_REJECTIONS = 1000;
const BATCH = 1000;
const ROWS_A_TURN = 500;

/**
 * Reads the list twice: a list that is damaged in its middle changes nothing at all. After an error of the disk or the
 * database some accounts may be in; running it again makes nothing twice.
 * @param rows begins anew at each call
 * @throws StateError as `rows` does
 */
export async function importAccounts(
  state: State,
  rows: () => AsyncIterable<AccountRow>,
  options: ImportOptions,
): Promise<ImportReport> {
  for await (const _row of inTurns(rows()));
  const run = new ImportRun(state, options);
  for await (const row of inTurns(rows())) await run.take(row);
  return await run.end();
}

/** Rows that are in memory and a database that answers at once would leave no turn to anybody else. */
async function* inTurns(rows: AsyncIterable<AccountRow>): AsyncGenerator<AccountRow> {
  let count = 0;
  for await (const row of rows) {
    yield row;
    count += 1;
    if (count % ROWS_A_TURN === 0) await setImmediate();
  }
}

class ImportRun {
  readonly #state: State;
  readonly #options: ImportOptions;
  readonly #organizations = new Set<string>();
  readonly #rejections: { line: number; reason: string }[] = [];
  /** In a dry run: what earlier rows would have made. */
  readonly #wouldBe = new Map<string, AccountFacts>();
  readonly #wouldBeKeys = new Set<string>();
  #facts: AccountFacts[] = [];
  #keys: AdoptedKey[] = [];
  readonly #counts = { rows: 0, created: 0, changed: 0, rejected: 0 };
  readonly #keyCounts = { keysAdopted: 0, keysKnown: 0, keysBlocked: 0 };

  constructor(state: State, options: ImportOptions) {
    this.#state = state;
    this.#options = options;
  }

  async take(row: AccountRow): Promise<void> {
    this.#counts.rows += 1;
    if ("reason" in row) {
      this.#counts.rejected += 1;
      if (this.#rejections.length < MAX_REJECTIONS) this.#rejections.push(row);
      return;
    }
    this.#facts.push(row.facts);
    if (row.key !== null && this.#options.keys) {
      if (row.isBlocked) this.#keyCounts.keysBlocked += 1;
      else this.#keys.push(row.key);
    }
    if (this.#facts.length >= BATCH) await this.#flush();
  }

  async end(): Promise<ImportReport> {
    await this.#flush();
    const { dryRun, format, record } = this.#options;
    const figures = { ...this.#counts, ...this.#keyCounts };
    if (!dryRun) await record([{ act: "accounts.imported", account: null, detail: { format, ...figures } }]);
    return { dryRun, ...figures, rejections: this.#rejections };
  }

  async #flush(): Promise<void> {
    const { created, changed } = await (this.#options.dryRun ? this.#compare() : this.#ensure());
    this.#counts.created += created;
    this.#counts.changed += changed;
    const fresh = await this.#adopt();
    this.#keyCounts.keysAdopted += fresh;
    this.#keyCounts.keysKnown += this.#keys.length - fresh;
    this.#facts = [];
    this.#keys = [];
  }

  async #ensure(): Promise<{ created: number; changed: number }> {
    const { record, by } = this.#options;
    const counts = await this.#state.accounts.ensureAll(this.#facts, { record, by });
    for (const { organization } of this.#facts) {
      if (organization === null || this.#organizations.has(organization)) continue;
      this.#organizations.add(organization);
      await this.#state.organizations.put({ organization }, { record, by });
    }
    return counts;
  }

  /** Counts as `ensureAll` does: an account is new once, and changed once in each batch. */
  async #compare(): Promise<{ created: number; changed: number }> {
    const names = this.#facts.map(({ account }) => account);
    const known = await this.#state.accounts.getMany(names.filter((name) => !this.#wouldBe.has(name)));
    const created = new Set<string>();
    const changed = new Set<string>();
    for (const facts of this.#facts) {
      const before = this.#wouldBe.get(facts.account) ?? known.get(facts.account);
      this.#wouldBe.set(facts.account, before === undefined ? facts : overlay(before, facts));
      if (before === undefined) created.add(facts.account);
      else if (isChangedBy(before, facts) && !created.has(facts.account)) changed.add(facts.account);
    }
    return { created: created.size, changed: changed.size };
  }

  /** How many of the batch's keys are new here. */
  async #adopt(): Promise<number> {
    const { record, by, dryRun } = this.#options;
    if (!dryRun) return (await this.#state.keys.adopt(this.#keys, { record, by })).adopted;
    const known = await this.#state.keys.knownAmong(this.#keys.map(({ sha256 }) => sha256));
    const before = this.#wouldBeKeys.size;
    for (const { sha256 } of this.#keys) if (!known.has(sha256)) this.#wouldBeKeys.add(sha256);
    return this.#wouldBeKeys.size - before;
  }
}
