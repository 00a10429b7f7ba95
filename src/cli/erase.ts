// `adyton erase`: destroys what a customer said, for good, without breaking any proof.
import { Command, Option } from "commander";
import { contextOf } from "./context.ts";
import type { EraseOptions } from "./erase/run.ts";

export function eraseCommand(): Command {
  return new Command("erase")
    .description("Destroy the content of an account or of one exchange, with its keys and salts, for good.")
    .addOption(new Option("--account <account>", "all of this account's records").conflicts("exchange"))
    .option("--exchange <id>", "the records of this exchange")
    .option(
      "--legal-basis <text>",
      "under which law or duty, such as 'GDPR article 17(1)(a)'; kept in the log",
    )
    .option("--dry-run", "show what would be erased, and what stands against it")
    .addOption(
      new Option("--resume", "complete erasures that were cut short").conflicts(["account", "exchange"]),
    )
    .addHelpText(
      "after",
      `
A record of the erasure goes into the log first. Leaves, tree and every other record's proof stay as they are; nothing
brings the content back. A legal hold refuses it (adyton hold). May run beside a server, whose processes forget the
keys within a second. Backups are yours to see to: a copy of keys/ and content/ from before can still be read together.

Examples:
  adyton erase --account acme --legal-basis 'GDPR article 17(1)(a)' --dry-run
  adyton erase --exchange ex_01kab --legal-basis 'contract, section 9'`,
    )
    .action(async (options: EraseOptions, self: Command) => {
      const { runErase } = await import("./erase/run.ts");
      await runErase(contextOf(self), options);
    });
}
