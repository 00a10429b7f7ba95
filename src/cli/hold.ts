// `adyton hold`: legal holds, which keep content from being erased, and are records of the log themselves.
import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { DataFolder } from "../config/data-folder.ts";
import type { ActRecorder } from "../core/acts.ts";
import { timeId } from "../core/ids.ts";
import type { ErasureJournal, Hold } from "../log/erasure-journal.ts";
import type { Keyring } from "../log/keyring.ts";
import { openActLog } from "./act.ts";
import { type Context, contextOf } from "./context.ts";
import { momentMs } from "./duration.ts";
import { CliError } from "./errors.ts";
import { timeText } from "./output.ts";

interface PlaceOptions {
  readonly account?: string;
  readonly exchange?: string;
  readonly authority: string;
  readonly reference: string;
  readonly until: string;
  readonly reason: string;
}

export function holdCommand(): Command {
  const command = new Command("hold").description(
    "Legal holds: what is held can't be erased, neither by hand nor by age.",
  );
  command
    .command("place")
    .description("Hold an account or one exchange until a day.")
    .addOption(new Option("--account <account>", "everything of this account").conflicts("exchange"))
    .option("--exchange <id>", "this exchange alone")
    .requiredOption("--authority <name>", "who ordered it")
    .requiredOption("--reference <text>", "the authority's own reference")
    .option("--until <when>", "a day, or a time from now; it ends by itself", "60d")
    .requiredOption("--reason <text>", "why, for the log")
    .addHelpText(
      "after",
      "\nExample:\n  adyton hold place --account acme --authority 'Public prosecutor' --reference '12 Js 3/26' --reason 'preservation order'",
    )
    .action(async (options: PlaceOptions, self: Command) => place(contextOf(self), options));
  command
    .command("extend <hold>")
    .description("Let a hold in force end later.")
    .requiredOption("--authority <name>", "who ordered it")
    .requiredOption("--until <when>", "a day, or a time from now")
    .addHelpText(
      "after",
      "\nExample:\n  adyton hold extend hold_01kab --authority 'Public prosecutor' --until 30d",
    )
    .action(async (id: string, options: { authority: string; until: string }, self: Command) =>
      extend(contextOf(self), id, options),
    );
  command
    .command("release <hold>")
    .description("End a hold before its time.")
    .requiredOption("--authority <name>", "who ordered it")
    .requiredOption("--reason <text>", "why, for the log")
    .addHelpText(
      "after",
      "\nExample:\n  adyton hold release hold_01kab --authority 'Court' --reason 'case closed'",
    )
    .action(async (id: string, options: { authority: string; reason: string }, self: Command) =>
      release(contextOf(self), id, options),
    );
  command
    .command("list")
    .description("Show holds, the newest first.")
    .option("--in-force", "only those that have neither ended nor been released")
    .addHelpText("after", "\nExample:\n  adyton hold list --in-force")
    .action(async (options: { inForce?: boolean }, self: Command) => list(contextOf(self), options));
  return command;
}

interface Parts {
  readonly journal: ErasureJournal;
  readonly keys: Keyring;
  readonly record: ActRecorder;
}

async function withJournal<T>({ folder }: Context, use: (parts: Parts) => Promise<T>): Promise<T> {
  const { ErasureJournal: erasureJournal } = await import("../log/erasure-journal.ts");
  const { Keyring: keyring } = await import("../log/keyring.ts");
  const acts = await openActLog(await DataFolder.create(folder.root));
  const keys = await keyring.open({ folder: folder.root });
  const journal = await erasureJournal.open(folder.erasures);
  try {
    return await use({ journal, keys, record: acts.record });
  } finally {
    journal.close();
    keys.close();
    await acts.close();
  }
}

async function place(context: Context, options: PlaceOptions): Promise<void> {
  await withJournal(context, async ({ journal, keys, record }) => {
    const nowMs = Date.now();
    const { authority, reference, reason } = options;
    const expiresMs = inFuture(options.until, nowMs);
    const subject = await subjectOf(context, keys, options);
    const facts = {
      hold: timeId("hold", nowMs, randomBytes(10)),
      ...subject,
      authority,
      reference,
      expiresMs,
    };
    await record([{ act: "hold.placed", account: null, detail: { ...facts, reason } }]);
    journal.place(facts);
    show(context, journal.hold(facts.hold), "Held");
  });
}

function inFuture(until: string, nowMs: number): number {
  const expiresMs = momentMs(until, nowMs);
  if (expiresMs > nowMs) return expiresMs;
  throw new CliError("usage", `expected --until to lie ahead, got ${new Date(expiresMs).toISOString()}`);
}

/** An exchange's account is in its sealed leaf. */
async function subjectOf(
  { folder, config }: Context,
  keys: Keyring,
  { account, exchange }: PlaceOptions,
): Promise<{ account: string; exchange: string | null }> {
  if (account !== undefined) return { account: keys.pseudonymOf(account), exchange: null };
  if (exchange === undefined) throw new CliError("usage", "expected --account or --exchange");
  const { SealedLog } = await import("../log/sealed-log.ts");
  const { LogError } = await import("../log/errors.ts");
  const log = await SealedLog.open({ folder: folder.root, keys, origin: config.log.origin });
  try {
    const [first] = await log.leavesOf(exchange);
    const owner = first === undefined ? undefined : (await log.leaf(first)).leaf.account;
    if (owner === undefined)
      throw new LogError("log.not-found", `expected an exchange in the sealed log, got ${exchange}`);
    return { account: owner, exchange };
  } finally {
    log.close();
  }
}

async function extend(
  context: Context,
  id: string,
  { authority, until }: { authority: string; until: string },
): Promise<void> {
  await withJournal(context, async ({ journal, record }) => {
    const expiresMs = inFuture(until, Date.now());
    const known = journal.hold(id);
    if (expiresMs <= known.expiresMs)
      throw new CliError("usage", `expected a later end than ${timeText(known.expiresMs)}`);
    await record([{ act: "hold.extended", account: null, detail: { hold: id, authority, expiresMs } }]);
    journal.extend(id, expiresMs);
    show(context, journal.hold(id), "Extended");
  });
}

async function release(
  context: Context,
  id: string,
  { authority, reason }: { authority: string; reason: string },
): Promise<void> {
  await withJournal(context, async ({ journal, record }) => {
    journal.hold(id);
    await record([{ act: "hold.released", account: null, detail: { hold: id, authority, reason } }]);
    journal.release(id);
    show(context, journal.hold(id), "Released");
  });
}

function show({ output }: Context, hold: Hold, what: string): void {
  output.result(hold, () =>
    output.line(`${what}: ${hold.hold}, ${subjectText(hold)}, until ${timeText(hold.expiresMs)}.`),
  );
}

function subjectText({ account, exchange }: Hold): string {
  return exchange === null ? `account ${account}` : `exchange ${exchange}`;
}

function standing({ releasedMs, expiresMs }: Hold): string {
  if (releasedMs !== null) return `released ${timeText(releasedMs)}`;
  return expiresMs > Date.now() ? "in force" : "expired";
}

async function list(context: Context, { inForce = false }: { inForce?: boolean }): Promise<void> {
  const { ErasureJournal: erasureJournal } = await import("../log/erasure-journal.ts");
  const folder = await DataFolder.create(context.folder.root);
  const journal = await erasureJournal.open(folder.erasures);
  try {
    const holds = inForce ? journal.inForce() : journal.holds();
    context.output.result({ holds }, () => {
      context.output.list(holds, "There is no such hold.", [
        { title: "hold", cell: ({ hold }) => hold },
        { title: "about", cell: subjectText },
        { title: "authority", cell: ({ authority }) => authority },
        { title: "reference", cell: ({ reference }) => reference },
        { title: "until", cell: ({ expiresMs }) => timeText(expiresMs) },
        { title: "state", cell: standing },
      ]);
    });
  } finally {
    journal.close();
  }
}
