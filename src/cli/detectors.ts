// `adyton detectors`: what is installed, whether its cases hold, and what it would have said over history.
import { Command, Option } from "commander";
import { contextOf } from "./context.ts";
import { durationMs, momentMs } from "./duration.ts";

export function detectorsCommand(): Command {
  const command = new Command("detectors").description("List, show, test and backtest detectors.");
  command
    .command("list")
    .description("List the installed detectors.")
    .addHelpText("after", "\nExample:\n  adyton detectors list --json")
    .action(async (_options: object, self: Command) => {
      const { list } = await import("./detection/run.ts");
      await list(contextOf(self));
    });
  command
    .command("show <detector>")
    .description("Show what a detector claims, what it assumes, where it errs and its parameters.")
    .addHelpText("after", "\nExample:\n  adyton detectors show shared-wording")
    .action(async (id: string, _options: object, self: Command) => {
      const { show } = await import("./detection/run.ts");
      await show(contextOf(self), id);
    });
  command
    .command("test [detector]")
    .description("Run the cases of one detector, or of all, on an engine of their own.")
    .addHelpText("after", "\nExample:\n  adyton detectors test parameter-stealing")
    .action(async (id: string | undefined, _options: object, self: Command) => {
      const { testCases } = await import("./detection/run.ts");
      await testCases(contextOf(self), id ?? null);
    });
  command
    .command("backtest <detector>")
    .description("Let one detector look at stored history as it would have looked then. Keeps nothing.")
    .requiredOption("--since <time>", "first look: a day such as 2026-03-01, or a full ISO time")
    .addOption(
      new Option("--every <time>", "time between two looks")
        .argParser(durationMs)
        .default(durationMs("6h"), "6h"),
    )
    .addHelpText("after", "\nExample:\n  adyton detectors backtest coverage --since 2026-03-01 --every 12h")
    .action(async (id: string, options: { since: string; every: number }, self: Command) => {
      const { backtest } = await import("./detection/run.ts");
      await backtest(contextOf(self), id, {
        sinceMs: momentMs(options.since, Date.now()),
        everyMs: options.every,
      });
    });
  return command;
}
