// `adyton accounts import` and `export`.
import { type Command, Option } from "commander";
import { accountsText } from "../../core/account.ts";
import { type ImportReport, MAX_REJECTIONS } from "../../state/account-import.ts";
import type { ListFormat } from "../../state/account-rows.ts";
import { contextOf } from "../context.ts";
import { EXIT } from "../errors.ts";
import { withChanges } from "../with-state.ts";

/** Lines told on a terminal. */
const REJECTIONS_TOLD = 20;

interface ImportFlags {
  readonly format: ListFormat;
  readonly keys?: boolean;
  readonly dryRun?: boolean;
}

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
    .option("--dry-run", "say what would happen, and change nothing")
    .addHelpText(
      "after",
      `
A list that is damaged changes nothing; rows that are wrong are told by their line, and the others are taken in.
CSV needs a header line with account and any of created, plan, payment, email_domain, country, organization,
declared_use. Empty cells change nothing.

Examples:
  adyton accounts import customers.csv
  adyton accounts import customers.csv --dry-run
  adyton accounts import tokens.csv --format litellm --keys`,
    )
    .action(async (file: string, options: ImportFlags, self: Command) => {
      const context = contextOf(self);
      const { output } = context;
      const { importFile } = await import("./transfer.ts");
      const { format, keys = false, dryRun = false } = options;
      const report = await withChanges(context, ({ state, record, by }) =>
        importFile(state, file, { format, keys, dryRun, record, by }),
      );
      output.result(report, () => {
        output.line(sentenceOf(report, keys));
        for (const { line, reason } of report.rejections.slice(0, REJECTIONS_TOLD))
          output.note(`line ${line}: ${reason}`);
        const more = report.rejected - REJECTIONS_TOLD;
        if (more > 0) output.note(`and ${more} more; --json tells the first ${MAX_REJECTIONS}`);
      });
      if (report.rejected > 0) process.exitCode = EXIT.rejectedInput;
    });
  parent
    .command("export <file>")
    .description("Write all accounts with their facts into a new file. It holds no keys.")
    .addOption(new Option("--format <format>", "how to write them").choices(["csv", "jsonl"]).default("csv"))
    .addHelpText("after", "\nExample:\n  adyton accounts export accounts.jsonl --format jsonl")
    .action(async (file: string, { format }: { format: "csv" | "jsonl" }, self: Command) => {
      const context = contextOf(self);
      const { exportFile } = await import("./transfer.ts");
      const count = await withChanges(context, ({ state, record }) =>
        exportFile(state, file, { format, record }),
      );
      context.output.result({ file, format, accounts: count }, () =>
        context.output.line(`${accountsText(count)} written to ${file}.`),
      );
    });
}

function sentenceOf(report: ImportReport, keys: boolean): string {
  const { dryRun, created, changed, rejected, keysAdopted, keysKnown, keysBlocked } = report;
  const taken = `${keysAdopted} keys taken over (${keysKnown} known already, ${keysBlocked} blocked and left out)`;
  const parts = [
    `${accountsText(created)} recorded`,
    `${changed} changed`,
    ...(keys ? [taken] : []),
    `${rejected} of ${report.rows} rows rejected`,
  ];
  return `${dryRun ? "Nothing was changed. It would be: " : ""}${parts.join(", ")}.`;
}
