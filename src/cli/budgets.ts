// `adyton budgets`: what the configured budgets are worth against a copy of the model.
import { Command } from "commander";
import { type BudgetScope, isCountedAtTheGateway } from "../config/respond-section.ts";
import { copyNeeds, limitOf, secondsToCopy } from "../core/extraction-model.ts";
import { contextOf } from "./context.ts";
import { durationText, wholeNumber } from "./duration.ts";
import { count } from "./output.ts";

const DAY_SECONDS = 86_400;

export function budgetsCommand(): Command {
  return new Command("budgets")
    .description("Show each budget's limit, and how long a copy takes at least when accounts keep within it.")
    .option("--accounts <count>", "accounts that act together", wholeNumber(1, 1_000_000), 1)
    .addHelpText(
      "after",
      `
What a copy needs is stated in docs/response.md, with sources. A budget of one account does not stop many: compare
--accounts 1 with --accounts 1000, and give campaigns and everybody budgets too.

Examples:
  adyton budgets
  adyton budgets --accounts 1000 --json`,
    )
    .action(({ accounts }: { accounts: number }, self: Command) => {
      const { config, output } = contextOf(self);
      const { budgets, target, redis } = config.respond;
      const needs = copyNeeds(target);
      const rows = budgets.map((budget) => {
        const limit = limitOf(budget, target);
        const sharers = budget.scope === "account" || budget.scope === "endUser" ? accounts : 1;
        return {
          ...{ name: budget.name, scope: budget.scope, unit: budget.unit, limit },
          windowSeconds: budget.windowSeconds,
          shareOfCopy: limit / needs[budget.unit],
          daysToCopy: secondsToCopy(budget, { limit, accounts: sharers, target }) / DAY_SECONDS,
          kept: isCountedAtTheGateway(budget, { hasRedis: redis !== null }) ? "gateway" : "store",
        };
      });
      output.result({ target, needs, accounts, budgets: rows }, () => {
        if (rows.length === 0) output.line("No budget is configured (respond.budgets).");
        else
          output.table(rows, [
            { title: "budget", cell: ({ name }) => name },
            { title: "scope", cell: ({ scope }) => scope },
            { title: "unit", cell: ({ unit }) => unit },
            { title: "limit", cell: ({ limit }) => count(limit), right: true },
            { title: "window", cell: ({ windowSeconds }) => durationText(windowSeconds), right: true },
            {
              title: "of a copy",
              cell: ({ shareOfCopy }) => `${(shareOfCopy * 100).toPrecision(2)} %`,
              right: true,
            },
            { title: "days to copy", cell: ({ daysToCopy }) => daysText(daysToCopy), right: true },
            { title: "kept by", cell: ({ kept }) => kept },
          ]);
        const amounts = Object.entries(needs).map(([unit, amount]) => `${count(amount)} ${unit}`);
        output.line();
        output.line(`A copy (${target.kind}) needs at least: ${amounts.join(", ")}.`);
        for (const remark of remarks(rows, accounts)) output.line(remark);
      });
    });
}

/** A copy that fits into one window takes no time that a budget could tell. */
function daysText(days: number): string {
  return days === 0 ? "none" : count(Math.round(days * 10) / 10);
}

function remarks(
  budgets: readonly { readonly scope: BudgetScope; readonly daysToCopy: number }[],
  accounts: number,
): string[] {
  const together = accounts === 1 ? "one account" : `${count(accounts)} accounts together`;
  const told: string[] = [];
  if (budgets.some(({ daysToCopy }) => daysToCopy === 0))
    told.push(`none: ${together} can draw a copy within the first window.`);
  const known = ["organization", "campaign"].filter((scope) => budgets.some((one) => one.scope === scope));
  if (known.length > 0)
    told.push(
      `${known.join(", ")}: one budget for accounts that are known to belong together, and none for others.`,
    );
  return told;
}
