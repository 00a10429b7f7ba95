// Answers "is there a measure against this account?" from memory, so that no request waits; a poll keeps it fresh.
import { isLive, type Measure, type ReasonCode, rankOf } from "../core/measure.ts";
import { currentRevision, VERDICTS } from "./revision.ts";
import type { State } from "./state.ts";
import { type Hold, holdsOf, verdictOf } from "./verdict-rows.ts";

/** A measure that holds for an account now. */
export interface Standing {
  readonly measure: Measure;
  readonly reason: ReasonCode;
  /** The customer's handle for an appeal. */
  readonly reference: string;
  /** Accounts of one verdict share its pace. Never shown to a customer. */
  readonly verdict: string;
}

/** What the gateway needs of it: in memory and synchronous. */
export type Standings = Pick<VerdictTable, "of" | "spentUntil">;

export interface VerdictTableOptions {
  /** Time between two looks for changes, milliseconds: the longest a change takes to arrive without a broadcast. */
  readonly refreshMs?: number;
  readonly now?: () => number;
  /** Called when a refresh fails; the last known verdicts stay in force, and the next poll tries again. */
  readonly onFailure?: (error: unknown) => void;
}

interface Held extends Hold {
  readonly reason: ReasonCode;
}

interface Membership {
  readonly verdict: string;
  readonly reference: string;
}

const REFRESH_MS = 200;
const PAGE_ROWS = 2000;
const NOTHING: readonly Membership[] = [];

/**
 * Times are checked at each question: a verdict takes effect and expires at its time even when nothing else runs any
 * more. What is known stays known when the database is gone.
 */
export class VerdictTable {
  #state: State;
  readonly #now: () => number;
  /** Verdicts that are enforced now or will be; the others are not held. */
  readonly #verdicts: Map<string, readonly Held[]> = new Map();
  /** Who is named by any verdict that ever was: few, beside all accounts there are. */
  readonly #memberships: Map<string, readonly Membership[]> = new Map();
  /** When budgets that were measured as spent are free again, by `budget scope`. */
  readonly #spent: Map<string, number> = new Map();
  #revision = 0;
  #timer: NodeJS.Timeout | null = null;
  #refreshing: Promise<void> | null = null;

  private constructor(state: State, { now = Date.now }: VerdictTableOptions) {
    this.#state = state;
    this.#now = now;
  }

  /** Loads every verdict, then polls. The timer does not keep the process alive. */
  static async open(state: State, options: VerdictTableOptions = {}): Promise<VerdictTable> {
    const table = new VerdictTable(state, options);
    await table.refresh();
    const { refreshMs = REFRESH_MS, onFailure = () => {} } = options;
    table.#timer = setInterval(() => {
      table.refresh().catch(onFailure);
    }, refreshMs);
    table.#timer.unref();
    return table;
  }

  /** The strongest measure that holds for the account now; null for nearly everybody, after one look into a map. */
  of(account: string): Standing | null {
    const memberships = this.#memberships.get(account);
    return memberships === undefined ? null : this.#strongest(memberships);
  }

  /** When a measured budget of this scope is free again; 0: it is not spent. */
  spentUntil(budget: string, scope: string): number {
    return this.#spent.get(`${budget} ${scope}`) ?? 0;
  }

  /** Goes on from the same revision in another database: a copy was read until now, and what it is a copy of is back. */
  follow(state: State): void {
    this.#state = state;
  }

  /** Reads what changed since the last look. Concurrent calls share one read. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Like `refresh`, but never content with a look that began before this call: for whoever was told of news. */
  async refreshAfterNews(): Promise<void> {
    await this.#refreshing?.catch(() => {});
    await this.refresh();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  get revision(): number {
    return this.#revision;
  }

  #strongest(memberships: readonly Membership[]): Standing | null {
    const nowMs = this.#now();
    let strongest: Standing | null = null;
    for (const { verdict, reference } of memberships) {
      const held = this.#verdicts
        .get(verdict)
        ?.find(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs);
      if (held === undefined) continue;
      if (strongest !== null && rankOf(strongest.measure) >= rankOf(held.measure)) continue;
      strongest = { measure: held.measure, reason: held.reason, reference, verdict };
    }
    return strongest;
  }

  async #read(): Promise<void> {
    const revision = await currentRevision(this.#state.database, VERDICTS);
    if (revision === this.#revision) return;
    // Rows changed after `revision` was read may come along; the next look reads them again, which does no harm.
    await this.#readAccounts();
    await this.#readVerdicts();
    await this.#readSpent();
    this.#revision = revision;
  }

  async #readVerdicts(): Promise<void> {
    const rows = await this.#state.database
      .selectFrom("verdicts")
      .selectAll()
      .where("revision", ">", this.#revision)
      .execute();
    for (const row of rows) {
      const verdict = verdictOf(row);
      const { id, reason, status, shadow } = verdict;
      const holds = isLive(status) && !shadow ? holdsOf(verdict) : [];
      const felt = holds.filter(({ measure }) => measure !== "observe");
      if (felt.length === 0) this.#verdicts.delete(id);
      else
        this.#verdicts.set(
          id,
          felt.map((hold) => ({ ...hold, reason })),
        );
    }
  }

  async #readAccounts(): Promise<void> {
    let after = { revision: this.#revision + 1, reference: "" };
    for (;;) {
      const rows = await this.#state.database
        .selectFrom("verdict_accounts")
        .select(["verdict", "account", "reference", "released_ms", "revision"])
        .where("revision", ">=", after.revision)
        .where((row) =>
          row.or([row("revision", ">", after.revision), row("reference", ">", after.reference)]),
        )
        .orderBy("revision")
        .orderBy("reference")
        .limit(PAGE_ROWS)
        .execute();
      for (const { verdict, account, reference, released_ms } of rows) {
        const others = (this.#memberships.get(account) ?? NOTHING).filter(
          (known) => known.verdict !== verdict,
        );
        const all = released_ms === null ? [...others, { verdict, reference }] : others;
        if (all.length > 0) this.#memberships.set(account, all);
        else this.#memberships.delete(account);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      after = { revision: Number(last.revision), reference: last.reference };
    }
  }

  async #readSpent(): Promise<void> {
    const rows = await this.#state.database
      .selectFrom("budget_stops")
      .selectAll()
      .where("revision", ">", this.#revision)
      .execute();
    const nowMs = this.#now();
    for (const [key, untilMs] of this.#spent) if (untilMs <= nowMs) this.#spent.delete(key);
    for (const { budget, scope, until_ms } of rows) {
      if (Number(until_ms) > nowMs) this.#spent.set(`${budget} ${scope}`, Number(until_ms));
      else this.#spent.delete(`${budget} ${scope}`);
    }
  }
}
