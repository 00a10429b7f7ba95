// Budgets that were measured as spent, kept where every gateway reads them.
import type { Act } from "../core/acts.ts";
import type { Recorded } from "./accounts.ts";
import { StatePart } from "./part.ts";
import { nextRevision, VERDICTS } from "./revision.ts";

/** Somebody's share of a budget that is used up, and when it is free again at the earliest. */
export interface SpentBudget {
  readonly scope: string;
  readonly untilMs: number;
}

export class BudgetStops extends StatePart {
  /** Those of one budget that hold now, in the order of their scopes. */
  async list(budget: string): Promise<SpentBudget[]> {
    const rows = await this.db
      .selectFrom("budget_stops")
      .select(["scope", "until_ms"])
      .where("budget", "=", budget)
      .where("until_ms", ">", this.now())
      .orderBy("scope")
      .execute();
    return rows.map(({ scope, until_ms }) => ({ scope, untilMs: Number(until_ms) }));
  }

  /**
   * Says who has spent the budget as of now: whoever is not named any more is free at once. Only what changed is
   * written; who is new among them is an act in the log.
   */
  async replace(budget: string, spent: readonly SpentBudget[], { record }: Recorded = {}): Promise<void> {
    const before = new Map((await this.list(budget)).map(({ scope, untilMs }) => [scope, untilMs]));
    const after = new Map(spent.map(({ scope, untilMs }) => [scope, untilMs]));
    const changed = spent.filter(({ scope, untilMs }) => before.get(scope) !== untilMs);
    const freed = [...before.keys()].filter((scope) => !after.has(scope));
    if (changed.length === 0 && freed.length === 0) return;
    await this.db.transaction().execute(async (transaction) => {
      const revision = await nextRevision(transaction, VERDICTS);
      const rows = [...changed, ...freed.map((scope) => ({ scope, untilMs: 0 }))];
      for (const { scope, untilMs: until_ms } of rows) {
        await transaction
          .insertInto("budget_stops")
          .values({ budget, scope, until_ms, revision })
          .onConflict((conflict) => conflict.columns(["budget", "scope"]).doUpdateSet({ until_ms, revision }))
          .execute();
      }
      const acts = changed.flatMap(({ scope, untilMs }): Act[] =>
        before.has(scope) ? [] : [{ act: "budget.spent", account: null, detail: { budget, scope, untilMs } }],
      );
      if (acts.length > 0) await record?.(acts);
    });
  }
}
