// `adyton verdicts`: what is proposed and in effect against whom, and a person's decisions about it.
import { Command, Option } from "commander";
import {
  MEASURES,
  type Measure,
  REASON_CODES,
  type ReasonCode,
  VERDICT_STATUSES,
  type VerdictStatus,
} from "../core/measure.ts";
import { loadPolicy } from "../respond/policy.ts";
import { effectiveMs } from "../respond/responder.ts";
import type { DetectorRecord } from "../state/outcomes.ts";
import { holdsOf, type Verdict, type VerdictEvent, type VerdictMember } from "../state/verdict-rows.ts";
import { systemUser } from "./act.ts";
import { type Context, contextOf } from "./context.ts";
import { durationMs, wholeNumber } from "./duration.ts";
import { withDecisions } from "./news.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

/** A campaign may name thousands; the JSON form has up to a thousand. */
const ACCOUNTS_SHOWN = 20;
const DAY_MS = 86_400_000;

interface ListOptions {
  readonly status?: VerdictStatus;
  readonly measure?: Measure;
  readonly account?: string;
  readonly finding?: string;
  readonly all?: boolean;
  readonly limit: number;
}

export function verdictsCommand(): Command {
  const command = new Command("verdicts").description("Show verdicts, decide about them, end them.");
  command
    .command("list")
    .description("List verdicts that wait or hold, newest first.")
    .addOption(new Option("--status <status>", "only those with this status").choices(VERDICT_STATUSES))
    .addOption(new Option("--measure <measure>", "only those with this measure").choices(MEASURES))
    .option("--account <account>", "only those that name this account")
    .option("--finding <finding>", "only those that rest on this finding")
    .option("--all", "those that ended, too")
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText(
      "after",
      "\nExamples:\n  adyton verdicts list --status proposed\n  adyton verdicts list --account acme --all",
    )
    .action(async ({ all, status, ...query }: ListOptions, self: Command) => {
      const context = contextOf(self);
      const live = all !== true && status === undefined;
      await withState(context, async ({ state }) => {
        const page = await state.verdicts.list({ ...query, status, live });
        context.output.result(page, () => printList(context, page.items, { live, nowMs: Date.now() }));
        if (page.items.length < page.total)
          context.output.note(`The newest ${page.items.length} of ${page.total} are shown.`);
      });
    });
  command
    .command("show <verdict>")
    .description("Show one verdict: measure, reason, whom it names, every step so far.")
    .addHelpText("after", "\nExample:\n  adyton verdicts show v_01jx…")
    .action(async (id: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => {
        const verdict = await state.verdicts.demand(id);
        const members = await state.verdicts.members(id, { limit: 1000 });
        const history = await state.verdicts.history(id);
        context.output.result({ ...verdict, members, history }, () =>
          show(context, verdict, members, history),
        );
      });
    });
  decisions(command);
  own(command);
  command
    .command("precision")
    .description("Show about how many accounts people found each detector right or wrong.")
    .addHelpText("after", "\nExample:\n  adyton verdicts precision --json")
    .action(async (_options: object, self: Command) => {
      const context = contextOf(self);
      await withState(context, async ({ state }) => {
        const detectors = await state.outcomes.byDetector();
        context.output.result({ detectors }, () =>
          context.output.list(detectors, "Nobody has decided about a detector's finding yet.", [
            { title: "detector", cell: ({ detector }) => detector },
            { title: "upheld", cell: ({ upheld }) => upheld, right: true },
            { title: "wrong", cell: ({ wrong }) => wrong, right: true },
            { title: "right", cell: shareUpheld, right: true },
          ]),
        );
      });
    });
  return command;
}

interface Decided {
  readonly note: string;
  readonly delay?: number;
  readonly wrong?: boolean;
}

function decisions(command: Command): void {
  command
    .command("approve <verdict>")
    .description("Decide that a proposed measure shall hold. It takes effect after the policy's delay.")
    .requiredOption("--note <text>", "the reason, for the record")
    .option("--delay <time>", "take effect after this time instead, such as 1s", durationMs)
    .addHelpText(
      "after",
      "\nExample:\n  adyton verdicts approve v_01jx… --note 'one prompt set dealt out over 40 accounts'",
    )
    .action(async (id: string, { note, delay }: Decided, self: Command) => {
      const context = contextOf(self);
      const policy = await loadPolicy(context.config.respond.policy);
      const nowMs = Date.now();
      const atMs =
        delay === undefined ? effectiveMs(policy, { nowMs, random: Math.random() }) : nowMs + delay;
      await withDecisions(context, async ({ state, record }) => {
        const step = { by: systemUser(), note, effectiveMs: atMs };
        const verdict = await state.verdicts.approve(id, step, { record });
        tell(
          context,
          verdict,
          `${id} is approved; it takes effect at ${timeText(verdict.effectiveMs ?? atMs)}.`,
        );
      });
    });
  for (const [name, about] of [
    ["reject", "Decide against a proposed measure."],
    ["lift", "End a measure for everybody it names, at once."],
  ] as const) {
    command
      .command(`${name} <verdict>`)
      .description(about)
      .requiredOption("--note <text>", "the reason, for the record")
      .option("--wrong", "the detector was wrong: its record says so from now on")
      .addHelpText(
        "after",
        `\nExample:\n  adyton verdicts ${name} v_01jx… --wrong --note 'an agreed evaluation'`,
      )
      .action(async (id: string, { note, wrong }: Decided, self: Command) => {
        const context = contextOf(self);
        await withDecisions(context, async ({ state, record }) => {
          const step = { by: systemUser(), note };
          const verdict = await state.verdicts[name](id, step, { record, isWrong: wrong === true });
          tell(context, verdict, `${id} is ${verdict.status}.`);
        });
      });
  }
  command
    .command("release <verdict> <account>")
    .description("Free one account of a measure, such as one that was verified; it stays for the others.")
    .requiredOption("--note <text>", "the reason, for the record")
    .addHelpText(
      "after",
      "\nExample:\n  adyton verdicts release v_01jx… acme --note 'identity confirmed by telephone'",
    )
    .action(async (id: string, account: string, { note }: Decided, self: Command) => {
      const context = contextOf(self);
      await withDecisions(context, async ({ state, record }) => {
        await state.verdicts.release(id, account, { by: systemUser(), note }, { record });
        tell(context, await state.verdicts.demand(id), `${account} is free of ${id}.`);
      });
    });
}

interface OwnOptions {
  readonly account: readonly string[];
  readonly measure: Measure;
  readonly reason: ReasonCode;
  readonly days: number;
  readonly note: string;
}

/** A person's own decision, resting on no finding. Approving it is a second step, by whoever may approve. */
function own(command: Command): void {
  command
    .command("propose")
    .description("Propose a measure without a finding. It has to be approved like any other.")
    .requiredOption("--account <account...>", "whom it names")
    .addOption(new Option("--measure <measure>", "which measure").choices(MEASURES).makeOptionMandatory())
    .addOption(
      new Option("--reason <code>", "what the customer is told")
        .choices(REASON_CODES)
        .default("terms-of-use"),
    )
    .option("--days <count>", "how long it holds", wholeNumber(1, 3650), 30)
    .requiredOption("--note <text>", "why, for whoever approves")
    .addHelpText(
      "after",
      "\nExample:\n  adyton verdicts propose --account acme --measure verify --reason verification-needed --note 'card reported stolen'",
    )
    .action(async ({ account, measure, reason, days, note }: OwnOptions, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record }) => {
        for (const name of account) await state.accounts.demand(name);
        const verdict = await state.verdicts.propose(
          {
            ...{ measure, reason, note, accounts: account, by: systemUser() },
            ...{ lifeMs: days * DAY_MS, inheritLimit: 0, shadow: context.config.respond.mode === "shadow" },
          },
          { record },
        );
        tell(context, verdict, `${verdict.id} is proposed.`);
      });
    });
}

function tell({ output }: Context, verdict: Verdict, text: string): void {
  output.result(verdict, () => {
    output.line(text);
    if (verdict.shadow) output.line("It was made in shadow mode: nothing is enforced.");
  });
}

function shareUpheld({ upheld, wrong }: DetectorRecord): string {
  return `${Math.round((100 * upheld) / (upheld + wrong))} %`;
}

function printList(
  { output }: Context,
  verdicts: readonly Verdict[],
  { live, nowMs }: { live: boolean; nowMs: number },
): void {
  output.list(verdicts, live ? "No such verdict waits or holds." : "There is no such verdict.", [
    { title: "verdict", cell: ({ id }) => id },
    { title: "status", cell: ({ status, shadow }) => (shadow ? `${status} (shadow)` : status) },
    { title: "measure", cell: (verdict) => measureText(verdict, nowMs) },
    { title: "accounts", cell: ({ accounts }) => accounts, right: true },
    { title: "finding", cell: ({ finding }) => finding, width: 40 },
    { title: "proposed", cell: ({ proposedMs }) => timeText(proposedMs) },
    { title: "until", cell: ({ endedMs, expiresMs }) => timeText(endedMs ?? expiresMs) },
  ]);
}

function show(
  { output }: Context,
  verdict: Verdict,
  members: readonly VerdictMember[],
  history: readonly VerdictEvent[],
): void {
  const time = (ms: number | null): string | null => (ms === null ? null : timeText(ms));
  output.pairs([
    ["verdict", verdict.id],
    ["status", verdict.shadow ? `${verdict.status} (shadow: nothing is enforced)` : verdict.status],
    ["measure", verdict.measure],
    ["reason", verdict.reason],
    ["finding", verdict.finding],
    ["detector", verdict.detector],
    ["rule", verdict.rule],
    ["policy", verdict.policy],
    ["accounts", verdict.accounts],
    ["until decided", interimText(verdict)],
    ["inherited", `${verdict.inherited} of at most ${verdict.inheritLimit}`],
    ["in effect", time(verdict.effectiveMs)],
    ["until", time(verdict.expiresMs)],
    ["ended", time(verdict.endedMs)],
  ]);
  output.line();
  output.table(members.slice(0, ACCOUNTS_SHOWN), [
    { title: "account", cell: ({ account }) => account },
    { title: "reference", cell: ({ reference }) => reference },
    { title: "named", cell: ({ joinedMs }) => timeText(joinedMs) },
    { title: "inherited", cell: ({ inherited }) => (inherited ? "yes" : null) },
    { title: "released", cell: ({ releasedMs }) => time(releasedMs) },
  ]);
  const more = verdict.accounts - Math.min(members.length, ACCOUNTS_SHOWN);
  if (more > 0) output.line(`and ${more} more (--json lists up to 1000)`);
  output.line();
  output.table(history, [
    { title: "when", cell: ({ atMs }) => timeText(atMs) },
    { title: "who", cell: ({ by }) => by, width: 40 },
    { title: "step", cell: ({ step }) => step },
    { title: "note", cell: ({ note }) => note || null, width: 80 },
  ]);
}

/** With what holds until it is decided, or until the decision takes effect. */
function measureText(verdict: Verdict, nowMs: number): string {
  const { measure, interim, status } = verdict;
  const [held] = holdsOf(verdict);
  const holds =
    interim !== null &&
    (status === "proposed" || status === "approved") &&
    held !== undefined &&
    held.fromMs <= nowMs &&
    nowMs < held.untilMs;
  return holds ? `${measure} (${interim.measure} until then)` : measure;
}

function interimText({ interim }: Verdict): string | null {
  if (interim === null) return null;
  return `${interim.measure}, from ${timeText(interim.fromMs)} to ${timeText(interim.untilMs)} at the latest`;
}
