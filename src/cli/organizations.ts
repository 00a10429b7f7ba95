// `adyton organizations`: what accounts belong to, and the keys that sign their users' ids.
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import type { State } from "../state/state.ts";
import { type Context, contextOf } from "./context.ts";
import { momentMs, wholeNumber } from "./duration.ts";
import { CliError } from "./errors.ts";
import { type Cell, timeText } from "./output.ts";
import { addStandingCommands } from "./standing.ts";
import { withChanges, withState } from "./with-state.ts";

interface FactOptions {
  readonly plan?: string;
  readonly country?: string;
  readonly emailDomain?: string;
  readonly contact?: string;
}

export function organizationsCommand(): Command {
  const command = new Command("organizations").description("Show and record organisations and their keys.");
  command
    .command("list")
    .description("List organisations in the order of their names.")
    .option("--search <text>", "only those with this in their name")
    .option("--offset <count>", "leave out this many", wholeNumber(0, 1_000_000), 0)
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText("after", "\nExample:\n  adyton organizations list --search acme")
    .action(async (options: { search?: string; offset: number; limit: number }, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => list(context, state, options));
    });
  command
    .command("show <organization>")
    .description("Show one organisation: facts, keys, accounts.")
    .addHelpText("after", "\nExample:\n  adyton organizations show acme")
    .action(async (name: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => show(context, state, name));
    });
  command
    .command("set <organization>")
    .description("Record an organisation, or tell more facts about one. Facts that are not given stay.")
    .option("--plan <name>", "plan or tier")
    .option("--country <code>", "country, ISO 3166-1 alpha-2")
    .option("--email-domain <domain>", "domain of its e-mail addresses")
    .option("--contact <text>", "whom to reach before a measure")
    .addHelpText(
      "after",
      "\nExample:\n  adyton organizations set acme --plan enterprise --contact trust@acme.test",
    )
    .action(async (organization: string, options: FactOptions, self: Command) => {
      const context = contextOf(self);
      const { plan, country, emailDomain, contact } = options;
      const facts = { organization, plan, country, emailDomain, contact };
      const made = await withChanges(context, ({ state, record, by }) =>
        state.organizations.put(facts, { record, by }),
      );
      const what = made.isNew ? "Recorded" : "Known; facts updated:";
      context.output.result({ ...made.organization, isNew: made.isNew }, () =>
        context.output.line(`${what} ${organization}`),
      );
    });
  command.addCommand(keyCommand());
  addStandingCommands(command, "organization");
  return command;
}

interface KeyOptions {
  readonly publicKey?: string;
  readonly label: string;
  readonly expires?: string;
}

function keyCommand(): Command {
  const command = new Command("key").description(
    "Keys with which an organisation signs its users' ids (header adyton-end-user).",
  );
  command
    .command("create <organization>")
    .description("Make a key. A shared secret (HS256) is printed once; or give a public key (EdDSA).")
    .option(
      "--public-key <file>",
      "PEM of an Ed25519 public key; its private half stays with the organisation",
    )
    .option("--label <text>", "a note to tell keys apart", "")
    .option("--expires <when>", "a day such as 2027-01-31, or a time such as 90d")
    .addHelpText(
      "after",
      "\nExamples:\n  adyton organizations key create acme\n  adyton organizations key create acme --public-key acme.pem --expires 365d",
    )
    .action(async (organization: string, options: KeyOptions, self: Command) => {
      const context = contextOf(self);
      await createKey(context, organization, options);
    });
  command
    .command("revoke <id>")
    .description("End a key for good: what is signed with it counts as unsigned.")
    .addHelpText("after", "\nExample:\n  adyton organizations key revoke eu_0f1e2d3c4b5a697887")
    .action(async (id: string, _options: object, self: Command) => {
      const context = contextOf(self);
      const key = await withChanges(context, ({ state, record, by }) =>
        state.endUserKeys.revoke(id, { record, by }),
      );
      context.output.result(key, () => context.output.line(`Revoked ${key.id} of ${key.organization}.`));
    });
  return command;
}

async function createKey(context: Context, organization: string, options: KeyOptions): Promise<void> {
  const { label, expires, publicKey: file } = options;
  const publicKey = file === undefined ? null : await readPublicKey(file);
  const expiresAtMs = expires === undefined ? null : momentMs(expires, Date.now());
  const { END_USER_PURPOSE, endUserSecret } = await import("../state/end-user-keys.ts");
  await withChanges(context, async ({ state, record, by, keys }) => {
    const wanted = { organization, publicKey, label, expiresAtMs };
    const key = await state.endUserKeys.create(wanted, { record, by });
    const master = publicKey === null ? keys.purposeKey(END_USER_PURPOSE) : null;
    const secret = master === null ? null : endUserSecret(master, key.id).toString("base64url");
    context.output.result({ ...key, secret }, () => {
      if (secret !== null) context.output.line(secret);
      const note = secret === null ? "" : " This is the only time the secret is shown (base64url, HS256).";
      context.output.note(`Key ${key.id} of ${organization}.${note}`);
      if (secret === null) context.output.line(key.id);
    });
  });
}

async function readPublicKey(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CliError("usage", `expected a readable file, got ${JSON.stringify(file)}`, { cause });
  });
}

async function list(
  { output }: Context,
  { organizations }: State,
  { search: text, offset, limit }: { search?: string; offset: number; limit: number },
): Promise<void> {
  const { items } = await organizations.list({ text, offset, limit });
  const counts = await organizations.accountCounts(items.map(({ organization }) => organization));
  const rows = items.map((each) => ({ ...each, accounts: counts.get(each.organization) ?? 0 }));
  output.result(rows, () =>
    output.list(rows, "No such organisation is recorded.", [
      { title: "organisation", cell: ({ organization }) => organization, width: 40 },
      { title: "accounts", cell: ({ accounts }) => accounts, right: true },
      { title: "plan", cell: ({ plan }) => plan, width: 20 },
      { title: "country", cell: ({ country }) => country },
      { title: "contact", cell: ({ contact }) => contact, width: 40 },
    ]),
  );
}

async function show({ output }: Context, state: State, name: string): Promise<void> {
  const organization = await state.organizations.demand(name);
  const keys = await state.endUserKeys.list(name);
  const accounts = (await state.organizations.accountCounts([name])).get(name) ?? 0;
  output.result({ ...organization, accounts, endUserKeys: keys }, () => {
    const facts: [string, Cell][] = [
      ["organisation", organization.organization],
      ["accounts", accounts],
      ["plan", organization.plan],
      ["country", organization.country],
      ["e-mail domain", organization.emailDomain],
      ["contact", organization.contact],
      ["recorded", timeText(organization.recordedMs)],
      ["changed", timeText(organization.updatedMs)],
      ["end-user keys", keys.map(({ id }) => id).join(", ") || null],
    ];
    output.pairs(facts);
  });
}
