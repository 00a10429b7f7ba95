// What the subcommands of `adyton case` do to a case.
import { existsSync } from "node:fs";
import { snapshotOf } from "../../api/opinion.ts";
import { toolName } from "../../config/version.ts";
import { Keyring } from "../../log/keyring.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import type { Case, CaseEntry, EntryDraft } from "../../state/cases.ts";
import { systemUser } from "../act.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { timeText } from "../output.ts";
import { withChanges, withState } from "../with-state.ts";
import type { AddOptions, OpenOptions } from "./options.ts";

/** How long the log is now, with the signed checkpoint that says so. */
async function logNow({ folder, config }: Context): Promise<{ size: number; checkpoint: string | null }> {
  if (!existsSync(folder.checkpoint)) return { size: 0, checkpoint: null };
  const keys = await Keyring.open({ folder: folder.root });
  try {
    const log = await SealedLog.open({ folder: folder.root, keys, origin: config.log.origin });
    try {
      const { size, note } = await log.checkpoint();
      return { size, checkpoint: note };
    } finally {
      log.close();
    }
  } finally {
    keys.close();
  }
}

const doer = (): { by: string; tool: string } => ({ by: systemUser(), tool: toolName() });

export async function openCase(context: Context, options: OpenOptions): Promise<void> {
  const log = await logNow(context);
  const { title, purpose, authority, custodian, jurisdiction, tlp } = options;
  const facts = { title, purpose, authority, custodian, jurisdiction, tlp };
  const opened = await withChanges(context, ({ state, record }) =>
    state.cases.open(facts, { ...doer(), log }, { record }),
  );
  context.output.result(opened, () => context.output.line(`${opened.id} is open.`));
}

/** @throws CliError `usage` when nothing was named; StateError `finding-unknown`, `account-unknown` */
export async function addToCase(context: Context, id: string, options: AddOptions): Promise<void> {
  const { finding: findings, account: accounts, exchange: exchanges, authority } = options;
  if (findings.length + accounts.length + exchanges.length === 0)
    throw new CliError("usage", "expected --finding, --account or --exchange, got none of them");
  const entries = await withChanges(context, async ({ state, record }) => {
    const drafts: EntryDraft[] = [];
    for (const finding of findings) {
      const entry = await state.findings.demand(finding);
      const { body, digest } = await snapshotOf(entry.finding);
      const result = `${entry.finding.accounts.length} accounts; status ${entry.status}`;
      drafts.push({ what: "finding-added", on: finding, result, digest, snapshot: body });
    }
    for (const account of accounts) {
      await state.accounts.demand(account);
      drafts.push({ what: "account-added", on: account, result: "all exchanges of the account" });
    }
    for (const exchange of exchanges)
      drafts.push({ what: "exchange-added", on: exchange, result: "one exchange" });
    const added: CaseEntry[] = [];
    for (const draft of drafts)
      added.push(await state.cases.add(id, { ...draft, authority }, doer(), { record }));
    return added;
  });
  context.output.result({ case: id, entries }, () => {
    for (const { number, what, on } of entries) context.output.line(`${number}  ${what}  ${on}`);
  });
}

export async function noteInCase(
  context: Context,
  id: string,
  text: string,
  { kind, on }: { kind: "note" | "hypothesis" | "decision"; on?: string },
): Promise<void> {
  const draft: EntryDraft = { what: kind, on: on ?? id, result: `${kind} written`, text };
  const entry = await withChanges(context, ({ state, record }) =>
    state.cases.add(id, draft, doer(), { record }),
  );
  context.output.result(entry, () => context.output.line(`${entry.number}  ${entry.what}`));
}

export async function setCaseStatus(
  context: Context,
  id: string,
  what: "closed" | "reopened",
  reason: string,
): Promise<void> {
  const draft: EntryDraft = { what, on: id, result: reason };
  const entry = await withChanges(context, ({ state, record }) =>
    state.cases.add(id, draft, doer(), { record }),
  );
  context.output.result(entry, () => context.output.line(`${id} is ${what}.`));
}

export async function listCases(context: Context): Promise<void> {
  const cases = await withState(context, ({ state }) => state.cases.list());
  const { output } = context;
  output.result({ cases }, () =>
    output.table(cases, [
      { title: "case", cell: ({ id }) => id },
      { title: "opened", cell: ({ openedMs }) => timeText(openedMs) },
      { title: "status", cell: ({ status }) => status },
      { title: "TLP", cell: ({ tlp }) => tlp },
      { title: "entries", cell: ({ entries }) => entries, right: true },
      { title: "title", cell: ({ title }) => title, width: 80 },
    ]),
  );
}

export async function showCase(context: Context, id: string): Promise<void> {
  const { output } = context;
  const shown = await withState(context, async ({ state }) => ({
    case: await state.cases.demand(id),
    entries: await state.cases.entries(id),
  }));
  output.result(shown, () => print(context, shown.case, shown.entries));
}

function print({ output }: Context, found: Case, entries: readonly CaseEntry[]): void {
  output.pairs([
    ["case", found.id],
    ["title", found.title],
    ["status", found.status],
    ["purpose", found.purpose],
    ["authority", found.authority],
    ["custodian", found.custodian],
    ["jurisdiction", found.jurisdiction],
    ["marking", `TLP:${found.tlp}`],
    ["opened", timeText(found.openedMs)],
    ["log then", `${found.logSize} records`],
  ]);
  output.line();
  output.table(entries, [
    { title: "no.", cell: ({ number }) => number, right: true },
    { title: "when", cell: ({ atMs }) => timeText(atMs) },
    { title: "who", cell: ({ by }) => by, width: 30 },
    { title: "what", cell: ({ what }) => what },
    { title: "on", cell: ({ on }) => on, width: 40 },
    { title: "result", cell: ({ result }) => result, width: 60 },
    { title: "text", cell: ({ text, what }) => (what === "opened" ? null : text), width: 60 },
  ]);
}
