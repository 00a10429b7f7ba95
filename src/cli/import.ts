// `adyton import`: exchanges and accounts from other systems, through the same log and ingest as live traffic.
import { Command } from "commander";
import { type Context, contextOf } from "./context.ts";
import { EXIT } from "./errors.ts";
import type { ImportSummary } from "./import/run.ts";

const EXCHANGES_HELP = `
Each line is one exchange as JSON: id, time (ISO 8601), account, request (the body), response {status, text}; and where
known key, client {ip, asn, country, user_agent, ja4, headers[]}, endpoint, latency_ms, response.finish_reason,
.tool_calls, .usage {prompt_tokens, completion_tokens}. Each line of the accounts file: account, and where known
created, plan, payment, email_domain, country, organization, declared_use.

A malformed line is reported with file and line, counted and skipped; the exit code is then 3. An exchange whose id is
in the log already is skipped too, so an import that was cut can be run again. With a server running on the same data
folder the import only writes; the server seals and analyses.

Examples:
  adyton import exchanges january.jsonl.gz --accounts accounts.jsonl
  adyton import exchanges january.jsonl --json`;

export function importCommand(): Command {
  const command = new Command("import").description("Take in exchanges and accounts from other systems.");
  command
    .command("exchanges <file>")
    .description("Import exchanges, one JSON object a line, plain or gzipped.")
    .option("--accounts <file>", "facts about the accounts, one JSON object a line")
    .addHelpText("after", EXCHANGES_HELP)
    .action(async (file: string, options: { accounts?: string }, self: Command) => {
      const { importExchanges } = await import("./import/run.ts");
      const context = contextOf(self);
      const summary = await importExchanges(context, { exchanges: file, accounts: options.accounts });
      print(context, summary);
      if (summary.rejected > 0) process.exitCode = EXIT.rejectedInput;
    });
  return command;
}

function print({ output }: Context, summary: ImportSummary): void {
  output.result(summary, () => {
    const { exchanges, seconds, duplicates, rejected } = summary;
    const rate = Math.round(exchanges / Math.max(seconds, 0.001));
    const accounts = `${summary.accountsCreated} accounts new, ${summary.accountsChanged} changed`;
    const skipped = `${duplicates} already known, ${rejected} lines rejected`;
    output.line(
      `Imported ${exchanges} exchanges in ${seconds.toFixed(1)} s (${rate} a second); ${skipped}; ${accounts}.`,
    );
    if (summary.besideServer) output.line("The running server analyses them.");
  });
}
