// `adyton appeals`: what customers say against measures, and the answer they get.
import { Command, Option } from "commander";
import { APPEAL_STATUSES, type AppealStatus } from "../core/measure.ts";
import { systemUser } from "./act.ts";
import { contextOf } from "./context.ts";
import { wholeNumber } from "./duration.ts";
import { withDecisions } from "./news.ts";
import { timeText } from "./output.ts";
import { withState } from "./with-state.ts";

export function appealsCommand(): Command {
  const command = new Command("appeals").description("Read customers' appeals and answer them.");
  command
    .command("list")
    .description("List appeals, those that wait longest first.")
    .addOption(
      new Option("--status <status>", "only those with this status").choices(APPEAL_STATUSES).default("open"),
    )
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText("after", "\nExample:\n  adyton appeals list --status refused")
    .action(async (query: { status: AppealStatus; limit: number }, self: Command) => {
      const { output, ...context } = contextOf(self);
      await withState(context, async ({ state }) => {
        const page = await state.appeals.list(query);
        output.result(page, () =>
          output.list(page.items, `No appeal is ${query.status}.`, [
            { title: "appeal", cell: ({ id }) => id },
            { title: "filed", cell: ({ filedMs }) => timeText(filedMs) },
            { title: "account", cell: ({ account }) => account },
            { title: "verdict", cell: ({ verdict }) => verdict },
            { title: "status", cell: ({ status }) => status },
            { title: "statement", cell: ({ statement }) => statement, width: 80 },
          ]),
        );
      });
    });
  for (const outcome of ["grant", "refuse"] as const) {
    const grants = outcome === "grant";
    const answer = command
      .command(`${outcome} <appeal>`)
      .description(grants ? "Agree: the account is free at once." : "Disagree: the measure stays.")
      .requiredOption("--reason <text>", "what the customer reads")
      .addHelpText(
        "after",
        `\nExample:\n  adyton appeals ${outcome} a_01jx… --reason 'Thank you for the contract.'`,
      )
      .action(async (id: string, options: { reason: string; forAll?: boolean }, self: Command) => {
        const context = contextOf(self);
        await withDecisions(context, async ({ state, record }) => {
          const decision = {
            outcome: grants ? "granted" : "refused",
            by: systemUser(),
            reason: options.reason,
            forAll: options.forAll === true,
          } as const;
          const appeal = await state.appeals.decide(id, decision, { record });
          context.output.result(appeal, () => context.output.line(`${appeal.id} is ${appeal.status}.`));
        });
      });
    if (grants) answer.option("--for-all", "lift the measure for everybody it names");
  }
  return command;
}
