// `adyton hunt`: one look at the stored exchanges by every detector, or the reasons of one finding.
import { Command } from "commander";
import { contextOf } from "./context.ts";
import { momentMs } from "./duration.ts";

export function huntCommand(): Command {
  return new Command("hunt")
    .description("Look for campaigns in what is stored, or explain a finding.")
    .option("--at <time>", "look as of this time instead of now; findings are then shown and not kept")
    .option("--explain <finding>", "show one finding's error rate, reasons and how to triage it")
    .addHelpText(
      "after",
      `
Stop the server first, or let it look by itself: one process at a time holds the embedded store.

Examples:
  adyton hunt
  adyton hunt --at 2026-03-05 --json
  adyton hunt --explain campaign-3f2a90c41b7e`,
    )
    .action(async (options: { at?: string; explain?: string }, self: Command) => {
      const { explain, huntNow } = await import("./detection/run.ts");
      const context = contextOf(self);
      if (options.explain !== undefined) return explain(context, options.explain);
      await huntNow(context, options.at === undefined ? null : momentMs(options.at, Date.now()));
    });
}
