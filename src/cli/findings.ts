// `adyton findings`: what detectors asserted, and what people decided about it.
import { Command, Option } from "commander";
import { accountsText } from "../core/account.ts";
import type { FindingStatus } from "../core/acts.ts";
import type { FindingKind } from "../core/finding.ts";
import type { FindingEntry, FindingEvent } from "../state/findings.ts";
import type { Page } from "../state/paging.ts";
import { systemUser } from "./act.ts";
import { type Context, contextOf } from "./context.ts";
import { wholeNumber } from "./duration.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

/** A campaign may name thousands; the JSON form has them all. */
const ACCOUNTS_SHOWN = 20;
const STATUSES: readonly FindingStatus[] = ["open", "confirmed", "dismissed"];

interface ListOptions {
  readonly status?: FindingStatus;
  readonly kind?: FindingKind;
  readonly detector?: string;
  readonly account?: string;
  readonly limit: number;
}

export function findingsCommand(): Command {
  const command = new Command("findings").description("List findings, show one, record a decision.");
  command
    .command("list")
    .description("List findings, newest first.")
    .addOption(new Option("--status <status>", "only those with this status").choices([...STATUSES]))
    .addOption(
      new Option("--kind <kind>", "only those of this kind").choices(["account", "campaign", "probe"]),
    )
    .option("--detector <id>", "only those of this detector")
    .option("--account <account>", "only those that name this account")
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText(
      "after",
      "\nExamples:\n  adyton findings list --status open\n  adyton findings list --account acme --json",
    )
    .action(async (options: ListOptions, self: Command) => {
      const context = contextOf(self);
      const { status, kind, detector, account, limit } = options;
      await withState(context, async ({ state }) => {
        print(context, await state.findings.list({ status, kind, detector, account, limit }));
      });
    });
  command
    .command("show <finding>")
    .description(
      "Show one finding: its evidence, its error rate, the accounts it names, the decisions so far.",
    )
    .addHelpText("after", "\nExample:\n  adyton findings show f_3b9c")
    .action(async (id: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => {
        const entry = await state.findings.demand(id);
        const history = await state.findings.history(id);
        context.output.result({ ...entry, history }, () => show(context, entry, history));
      });
    });
  command
    .command("decide <finding> <status>")
    .description(
      "Record a decision: open, confirmed or dismissed. It changes what is shown, and enforces nothing.",
    )
    .option("--note <text>", "the reason, for whoever looks next", "")
    .addHelpText(
      "after",
      "\nExample:\n  adyton findings decide f_3b9c dismissed --note 'evaluation agreed with the customer'",
    )
    .action(async (id: string, status: FindingStatus, { note }: { note: string }, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record }) => {
        const decision = { to: status, by: systemUser(), note };
        const entry = await state.findings.setStatus(id, decision, { record });
        context.output.result(entry, () => context.output.line(`${entry.finding.id} is ${entry.status}.`));
      });
    });
  addition(command);
  return command;
}

function addition(command: Command): void {
  command
    .command("add <finding> <account...>")
    .description("Say that accounts belong to a finding. They stay in it whatever its detector says later.")
    .requiredOption("--note <text>", "why, for the record")
    .addHelpText(
      "after",
      "\nExample:\n  adyton findings add campaign-3b9c acme acme-2 --note 'paid with the same card'",
    )
    .action(async (id: string, accounts: string[], { note }: { note: string }, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record, by }) => {
        const entry = await state.findings.addAccounts(id, { accounts, by, note }, { record });
        const count = entry.finding.accounts.length;
        context.output.result(entry, () => context.output.line(`${id} names ${accountsText(count)} now.`));
      });
    });
}

function print({ output }: Context, page: Page<FindingEntry>): void {
  output.result(page, () => {
    output.list(page.items, "There is no such finding.", [
      { title: "finding", cell: ({ finding }) => finding.id, width: 40 },
      { title: "raised", cell: ({ finding }) => timeText(finding.timeMs) },
      { title: "kind", cell: ({ finding }) => finding.kind },
      { title: "status", cell: ({ status }) => status },
      { title: "accounts", cell: ({ finding }) => finding.accounts.length, right: true },
      { title: "detector", cell: ({ finding }) => finding.detector, width: 40 },
      { title: "summary", cell: ({ finding }) => finding.summary, width: 80 },
    ]);
    if (page.items.length < page.total)
      output.note(`${page.items.length} of ${page.total} shown; see --limit.`);
  });
}

function show(
  { output }: Context,
  { finding, status }: FindingEntry,
  history: readonly FindingEvent[],
): void {
  output.pairs([
    ["finding", finding.id],
    ["kind", finding.kind],
    ["status", status],
    ["raised", timeText(finding.timeMs)],
    ["detector", finding.detector],
    ["technique", finding.technique],
    ["p-value", finding.pValue ?? null],
    ["e-value", finding.eValue ?? null],
    ["error rate", finding.errorRate],
    ["summary", finding.summary],
    ["accounts", finding.accounts.length],
  ]);
  const more = finding.accounts.length - ACCOUNTS_SHOWN;
  output.line();
  for (const account of finding.accounts.slice(0, ACCOUNTS_SHOWN)) output.line(`  ${account}`);
  if (more > 0) output.line(`  and ${more} more (--json lists all)`);
  if (finding.contributions.length > 0) {
    output.line();
    output.pairs(finding.contributions.map(({ name, value }) => [name, value] as const));
  }
  output.line();
  output.table(history, [
    { title: "when", cell: ({ atMs }) => timeText(atMs) },
    { title: "who", cell: ({ by }) => by, width: 40 },
    { title: "status", cell: ({ to }) => to },
    { title: "note", cell: ({ note }) => note || null, width: 80 },
  ]);
}
