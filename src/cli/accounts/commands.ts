// `adyton accounts import` and `export`.
import { type Command, Option } from "commander";
import { contextOf } from "../context.ts";
import { EXIT } from "../errors.ts";
import { withChanges, withState } from "../with-state.ts";
import type { Format } from "./rows.ts";

export function addTransferCommands(parent: Command): void {
  parent
    .command("import <file>")
    .description(
      "Record accounts from a list: CSV, JSON lines, or LiteLLM's table of keys. Safe to run again.",
    )
    .addOption(
      new Option("--format <format>", "litellm: the table LiteLLM_VerificationToken as CSV or JSON lines")
        .choices(["csv", "jsonl", "litellm"])
        .default("csv"),
    )
    .option(
      "--keys",
      "with litellm: take over the hashed keys, so that clients go on with the keys they have",
    )
    .addHelpText(
      "after",
      `
CSV needs a header line with account and any of created, plan, payment, email_domain, country, organization,
declared_use. Empty cells change nothing.

Examples:
  adyton accounts import customers.csv
  adyton accounts import tokens.csv --format litellm --keys`,
    )
    .action(async (file: string, options: { format: Format; keys?: boolean }, self: Command) => {
      const context = contextOf(self);
      const { output } = context;
      const { importAccounts } = await import("./transfer.ts");
      const counts = await withChanges(context, ({ state, record, by }) =>
        importAccounts(state, file, { format: options.format, keys: options.keys === true, record, by }),
      );
      const { created, changed, keysAdopted, rejected, rejections } = counts;
      output.result(counts, () => {
        const keys = options.keys === true ? `, ${keysAdopted} keys taken over` : "";
        output.line(`${created} accounts recorded, ${changed} changed${keys}, ${rejected} rows rejected.`);
        for (const { line, reason } of rejections) output.note(`line ${line}: ${reason}`);
      });
      if (rejected > 0) process.exitCode = EXIT.rejectedInput;
    });
  parent
    .command("export <file>")
    .description("Write all accounts with their facts into a new file. It holds no keys.")
    .addOption(new Option("--format <format>", "how to write them").choices(["csv", "jsonl"]).default("csv"))
    .addHelpText("after", "\nExample:\n  adyton accounts export accounts.jsonl --format jsonl")
    .action(async (file: string, { format }: { format: "csv" | "jsonl" }, self: Command) => {
      const context = contextOf(self);
      const { exportAccounts } = await import("./transfer.ts");
      const count = await withState(context, ({ state }) => exportAccounts(state, file, { format }));
      context.output.result({ file, format, accounts: count }, () =>
        context.output.line(`${count} accounts written to ${file}.`),
      );
    });
}
