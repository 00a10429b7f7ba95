// Answers "which organisation does this account belong to?" from memory, for budgets that an organisation shares.
import { currentRevision } from "./revision.ts";
import type { State } from "./state.ts";

/** Budgets of organisations count in hours and days: a second's delay in who belongs where does no harm. */
const REFRESH_MS = 1000;
const PAGE_ROWS = 2000;

export class OrganizationMap {
  readonly #state: State;
  readonly #organizations: Map<string, string> = new Map();
  #revision = 0;
  #timer: NodeJS.Timeout | null = null;
  #refreshing: Promise<void> | null = null;

  private constructor(state: State) {
    this.#state = state;
  }

  /** Loads every account that has an organisation, then polls. The timer does not keep the process alive. */
  static async open(
    state: State,
    { onFailure }: { onFailure: (error: unknown) => void },
  ): Promise<OrganizationMap> {
    const map = new OrganizationMap(state);
    await map.refresh();
    map.#timer = setInterval(() => {
      map.refresh().catch(onFailure);
    }, REFRESH_MS);
    map.#timer.unref();
    return map;
  }

  of(account: string): string | null {
    return this.#organizations.get(account) ?? null;
  }

  /** Reads what changed since the last look. Concurrent calls share one read. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #read(): Promise<void> {
    const revision = await currentRevision(this.#state.database);
    if (revision === this.#revision) return;
    let after = { revision: this.#revision + 1, account: "" };
    for (;;) {
      const rows = await this.#state.database
        .selectFrom("accounts")
        .select(["account", "organization", "revision"])
        .where("revision", ">=", after.revision)
        .where((row) => row.or([row("revision", ">", after.revision), row("account", ">", after.account)]))
        .orderBy("revision")
        .orderBy("account")
        .limit(PAGE_ROWS)
        .execute();
      for (const { account, organization } of rows) {
        if (organization === null) this.#organizations.delete(account);
        else this.#organizations.set(account, organization);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) break;
      after = { revision: Number(last.revision), account: last.account };
    }
    this.#revision = revision;
  }
}
