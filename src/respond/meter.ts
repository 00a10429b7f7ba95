// Looks at the budgets that only the analytical store can count, and says who has spent them.
import { type BudgetConfig, isCountedAtTheGateway, type RespondConfig } from "../config/respond-section.ts";
import type { ActRecorder } from "../core/acts.ts";
import { limitOf } from "../core/extraction-model.ts";
import type { SpentBudget } from "../state/budget-stops.ts";
import type { State } from "../state/state.ts";

/** What the store is asked: who has drawn at least `limit` of a unit since a time. */
export interface Question {
  readonly unit: BudgetConfig["unit"];
  readonly sinceMs: number;
  readonly limit: number;
  /** Accounts that count for something else than themselves, and what for; both lists are of one length. */
  readonly names: readonly string[];
  readonly scopes: readonly string[];
  /** What every other account counts for: `account:` for itself, a scope, or nothing. */
  readonly otherwise: string;
}

export interface Drawn {
  readonly scope: string;
  /** When the oldest exchange within the window was, ms since the epoch. */
  readonly oldestMs: number;
}

export interface MeterOptions {
  readonly state: State;
  readonly config: RespondConfig;
  readonly ask: (question: Question) => Promise<readonly Drawn[]>;
  readonly record: ActRecorder;
  readonly now: () => number;
}

/** Time between two measurements, milliseconds: each is a query over a window that may be a year. */
export const MEASURE_EVERY_MS = 10_000;
/** Accounts that are mapped to organisations or verdicts in one question. */
const MAX_MAPPED = 20_000;
const PAGE = 1000;

export class Meter {
  readonly #options: MeterOptions;
  readonly #budgets: readonly BudgetConfig[];
  #measuredMs = Number.NEGATIVE_INFINITY;

  constructor(options: MeterOptions) {
    this.#options = options;
    const { budgets, redis } = options.config;
    this.#budgets = budgets.filter((budget) => !isCountedAtTheGateway(budget, { hasRedis: redis !== null }));
  }

  /** Measures when it is time. Returns whether anything is spent. */
  async look(): Promise<boolean> {
    const nowMs = this.#options.now();
    if (this.#budgets.length === 0 || nowMs - this.#measuredMs < MEASURE_EVERY_MS) return false;
    this.#measuredMs = nowMs;
    let isSpent = false;
    for (const budget of this.#budgets) {
      const spent = await this.#measure(budget, nowMs);
      isSpent ||= spent.length > 0;
      await this.#options.state.budgetStops.replace(budget.name, spent, { record: this.#options.record });
    }
    return isSpent;
  }

  /**
   * Until when: the oldest exchange leaves the window then, and no sooner can anything be free. What is still over
   * after that is found spent again at the next look.
   */
  async #measure(budget: BudgetConfig, nowMs: number): Promise<SpentBudget[]> {
    const windowMs = budget.windowSeconds * 1000;
    const drawn = await this.#options.ask({
      unit: budget.unit,
      sinceMs: nowMs - windowMs,
      limit: limitOf(budget, this.#options.config.target),
      ...(await this.#mapping(budget)),
    });
    return drawn.map(({ scope, oldestMs }) => ({
      scope,
      untilMs: Math.max(Math.ceil(oldestMs + windowMs), nowMs + 2 * MEASURE_EVERY_MS),
    }));
  }

  async #mapping({ scope }: BudgetConfig): Promise<Pick<Question, "names" | "scopes" | "otherwise">> {
    if (scope === "account") return { names: [], scopes: [], otherwise: "account:" };
    if (scope === "global") return { names: [], scopes: [], otherwise: "global" };
    const pairs = scope === "campaign" ? await this.#campaigns() : await this.#organizations();
    return { names: pairs.map(([name]) => name), scopes: pairs.map(([, key]) => key), otherwise: "" };
  }

  /** Members of verdicts that hold: they share what is left of a campaign's budget. */
  async #campaigns(): Promise<[string, string][]> {
    const pairs: [string, string][] = [];
    const { verdicts } = this.#options.state;
    const { items } = await verdicts.list({ live: true, limit: PAGE });
    for (const { id, status, shadow } of items) {
      if (status === "proposed" || shadow) continue;
      for (let offset = 0; pairs.length < MAX_MAPPED; offset += PAGE) {
        const members = await verdicts.members(id, { offset, limit: PAGE });
        for (const { account, releasedMs } of members)
          if (releasedMs === null) pairs.push([account, `verdict:${id}`]);
        if (members.length < PAGE) break;
      }
    }
    return pairs.slice(0, MAX_MAPPED);
  }

  async #organizations(): Promise<[string, string][]> {
    const pairs: [string, string][] = [];
    let after = "";
    while (pairs.length < MAX_MAPPED) {
      const accounts = await this.#options.state.accounts.list({ after, limit: PAGE });
      for (const { account, organization } of accounts)
        if (organization !== null) pairs.push([account, `organization:${organization}`]);
      const last = accounts.at(-1);
      if (last === undefined || accounts.length < PAGE) break;
      after = last.account;
    }
    return pairs.slice(0, MAX_MAPPED);
  }
}
