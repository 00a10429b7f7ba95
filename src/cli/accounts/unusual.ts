// `adyton accounts unusual`: accounts by how unlike their kind they work, for a person to look at; nobody is accused.
import type { Command } from "commander";
import { contextOf } from "../context.ts";
import { momentMs, wholeNumber } from "../duration.ts";

export function addUnusualCommand(parent: Command): void {
  parent
    .command("unusual")
    .description("Rank accounts by how unlike their own kind they work. It accuses nobody.")
    .option("--at <time>", "as of this time instead of now")
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 20)
    .addHelpText(
      "after",
      `
Kinds are learnt from how accounts talk to the API. e is evidence that an account is not one of its kind; p is its rank
among its kind. One account among many can't be accused by either: docs/detection.md says why.
Stop the server first: one process at a time holds the embedded store.

Examples:
  adyton accounts unusual
  adyton accounts unusual --at 2026-03-05 --limit 5 --json`,
    )
    .action(async (options: { at?: string; limit: number }, self: Command) => {
      const { showUnusual } = await import("./ranking.ts");
      const nowMs = options.at === undefined ? Date.now() : momentMs(options.at, Date.now());
      await showUnusual(contextOf(self), { nowMs, limit: options.limit });
    });
}
