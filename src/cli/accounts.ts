// `adyton accounts`: the customers whose keys are used and whom findings are about.
import { Command } from "commander";
import { type AccountFacts, unknownAccount } from "../core/account.ts";
import type { Account, AccountStatus } from "../state/accounts.ts";
import type { State } from "../state/state.ts";
import type { Verdict } from "../state/verdict-rows.ts";
import { addTransferCommands } from "./accounts/commands.ts";
import { addUnusualCommand } from "./accounts/unusual.ts";
import { type Context, contextOf } from "./context.ts";
import { wholeNumber } from "./duration.ts";
import { CliError } from "./errors.ts";
import { type Cell, timeText } from "./output.ts";
import { addStandingCommands } from "./standing.ts";
import { withChanges, withState } from "./with-state.ts";

/** Findings and live verdicts that one account's page names: the newest. */
const SHOWN = 20;

interface FactOptions {
  readonly created?: string;
  readonly plan?: string;
  readonly payment?: string;
  readonly emailDomain?: string;
  readonly country?: string;
  readonly organization?: string;
  readonly declaredUse?: string;
}

export function accountsCommand(): Command {
  const command = new Command("accounts").description("Show and record accounts.");
  command
    .command("list")
    .description("List accounts in the order of their names.")
    .option("--organization <name>", "only those of this organisation")
    .option("--after <account>", "continue after this account")
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText(
      "after",
      "\nExamples:\n  adyton accounts list --limit 20\n  adyton accounts list --organization acme --json",
    )
    .action(async (options: { organization?: string; after?: string; limit: number }, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => print(context, await state.accounts.list(options)));
    });
  command
    .command("show <account>")
    .description("Show what is known of one account: facts, keys, findings, measures.")
    .addHelpText("after", "\nExample:\n  adyton accounts show acme")
    .action(async (name: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => show(context, state, name));
    });
  withFacts(command.command("add <account>"))
    .description(
      "Record an account, or tell more facts about one. Facts that are not given stay as they are.",
    )
    .addHelpText(
      "after",
      "\nExample:\n  adyton accounts add acme --plan enterprise --organization 'Acme Ltd' --country DE",
    )
    .action(async (name: string, options: FactOptions, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record, by }) => {
        const { account, isNew } = await state.accounts.ensure(factsOf(name, options), { record, by });
        context.output.result({ ...account, isNew }, () =>
          context.output.line(`${isNew ? "Recorded" : "Known; facts updated:"} ${account.account}`),
        );
      });
    });
  statusCommand(command, "suspend", "suspended", "Refuse every key of an account, within a second.");
  statusCommand(command, "resume", "active", "Accept the keys of a suspended account again.");
  addUnusualCommand(command);
  addStandingCommands(command, "account");
  addTransferCommands(command);
  return command;
}

function statusCommand(parent: Command, name: string, status: AccountStatus, description: string): void {
  parent
    .command(`${name} <account>`)
    .description(description)
    .addHelpText("after", `\nExample:\n  adyton accounts ${name} acme`)
    .action(async (account: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record, by }) => {
        const updated = await state.accounts.update(account, { status }, { record, by });
        context.output.result(updated, () => context.output.line(`${updated.account} is ${updated.status}.`));
      });
    });
}

function withFacts(command: Command): Command {
  return command
    .option("--created <day>", "when the customer signed up, 2026-01-31 or ISO 8601")
    .option("--plan <name>", "plan or tier")
    .option("--payment <reference>", "reference of the means of payment; a token, never a card number")
    .option("--email-domain <domain>", "domain of the customer's e-mail address")
    .option("--country <code>", "country as stated, ISO 3166-1 alpha-2")
    .option("--organization <name>", "organisation")
    .option("--declared-use <text>", "what the account is for, as the customer says");
}

function factsOf(account: string, options: FactOptions): AccountFacts {
  const { created, ...rest } = options;
  const facts: AccountFacts = { ...unknownAccount(account), ...pick(rest) };
  if (created === undefined) return facts;
  const ms = Date.parse(created);
  if (Number.isNaN(ms))
    throw new CliError("usage", `expected a day such as 2026-01-31, got ${JSON.stringify(created)}`);
  return { ...facts, created: new Date(ms).toISOString() };
}

/** Only the options that are facts: the parsed options also hold the global ones. */
function pick(options: Omit<FactOptions, "created">): Partial<AccountFacts> {
  const { plan, payment, emailDomain, country, organization, declaredUse } = options;
  const all = { plan, payment, emailDomain, country, organization, declaredUse };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function print({ output }: Context, accounts: readonly Account[]): void {
  output.result(accounts, () =>
    output.list(accounts, "No such account is recorded.", [
      { title: "account", cell: ({ account }) => account, width: 40 },
      { title: "status", cell: ({ status }) => status },
      { title: "created", cell: ({ created }) => created?.slice(0, 10) ?? null },
      { title: "plan", cell: ({ plan }) => plan, width: 20 },
      { title: "country", cell: ({ country }) => country },
      { title: "organisation", cell: ({ organization }) => organization, width: 40 },
    ]),
  );
}

async function show({ output }: Context, state: State, name: string): Promise<void> {
  const account = await state.accounts.demand(name);
  const keys = await state.keys.list({ account: name });
  const findings = (await state.findings.list({ account: name, limit: SHOWN })).items;
  const about = {
    findings: findings.map(({ finding, status }) => ({ id: finding.id, status })),
    verdicts: await verdictsOf(state, name),
  };
  output.result({ ...account, keys, ...about }, () => {
    const facts: [string, Cell][] = [
      ["account", account.account],
      ["status", account.status],
      ["created", account.created],
      ["plan", account.plan],
      ["payment", account.payment],
      ["e-mail domain", account.emailDomain],
      ["country", account.country],
      ["organisation", account.organization],
      ["declared use", account.declaredUse],
      ["recorded", timeText(account.recordedMs)],
      ["changed", timeText(account.updatedMs)],
      ["keys", keys.map(({ id }) => id).join(", ") || null],
      ["findings", about.findings.map(({ id, status }) => `${id} (${status})`).join(", ") || null],
      ["verdicts", about.verdicts.map(verdictText).join(", ") || null],
    ];
    output.pairs(facts);
  });
}

interface Held extends Pick<Verdict, "id" | "measure" | "status" | "shadow"> {
  /** This account was freed of it. */
  readonly isReleased: boolean;
}

async function verdictsOf(state: State, account: string): Promise<Held[]> {
  const { items } = await state.verdicts.list({ account, live: true, limit: SHOWN });
  return await Promise.all(
    items.map(async ({ id, measure, status, shadow }) => {
      const [member] = await state.verdicts.members(id, { account });
      return { id, measure, status, shadow, isReleased: (member?.releasedMs ?? null) !== null };
    }),
  );
}

function verdictText({ id, measure, status, shadow, isReleased }: Held): string {
  return `${id} (${measure}, ${isReleased ? "released" : status}${shadow ? ", shadow" : ""})`;
}
