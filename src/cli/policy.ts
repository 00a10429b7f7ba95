// `adyton policy`: check, show and try out which findings lead to which measure.
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { stringify } from "yaml";
import type { Finding } from "../core/finding.ts";
import { asksForTake, ruleFor } from "../respond/choose.ts";
import { nameable } from "../respond/nameable.ts";
import { loadPolicy, type Policy, policyHash } from "../respond/policy.ts";
import type { FindingEntry } from "../state/findings.ts";
import type { State } from "../state/state.ts";
import { type Context, contextOf } from "./context.ts";
import { CliError } from "./errors.ts";
import { withState } from "./with-state.ts";

/** Findings that a test replays: the newest. */
const MAX_TESTED = 1000;
const ACCOUNTS_SHOWN = 5;

export function policyCommand(): Command {
  const command = new Command("policy").description("Check, show and try out the response policy.");
  command
    .command("check [file]")
    .description("Check a policy file, or the configured one. Exit code 1 says what is wrong with it.")
    .addHelpText("after", "\nExample:\n  adyton policy check policy.yaml")
    .action(async (file: string | undefined, _options: object, self: Command) => {
      const context = contextOf(self);
      const policy = await policyOf(context, file);
      const answer = { policy: policyHash(policy), rules: policy.rules.length };
      context.output.result(answer, () =>
        context.output.line(
          `The policy is right: ${answer.rules} rules, version ${answer.policy.slice(0, 12)}.`,
        ),
      );
    });
  command
    .command("show")
    .description("Print the policy in force, with every default filled in: a file to start from.")
    .addHelpText("after", "\nExample:\n  adyton policy show > policy.yaml")
    .action(async (_options: object, self: Command) => {
      const context = contextOf(self);
      const policy = await policyOf(context, undefined);
      context.output.result({ policy, hash: policyHash(policy), mode: context.config.respond.mode }, () => {
        context.output.line(`# Version ${policyHash(policy)}, mode ${context.config.respond.mode}`);
        for (const line of stringify(policy).trimEnd().split("\n")) context.output.line(line);
      });
    });
  command
    .command("test [file]")
    .description("Replay the findings kept so far through a policy: what would have happened to whom.")
    .option("--findings <file>", "replay a file of findings instead (as `adyton replay` writes it)")
    .addHelpText(
      "after",
      `
Nothing is proposed or changed. Exempt accounts are left out, and rules that ask for a take don't hold, because the
take is measured only while a server runs.

Examples:
  adyton policy test
  adyton policy test stricter.yaml --json`,
    )
    .action(async (file: string | undefined, options: { findings?: string }, self: Command) => {
      const context = contextOf(self);
      const policy = await policyOf(context, file);
      print(context, policy, await outcomesOf(context, policy, options.findings));
    });
  return command;
}

async function policyOf(context: Context, file: string | undefined): Promise<Policy> {
  return await loadPolicy(file ?? context.config.respond.policy);
}

type Tested = Pick<FindingEntry, "finding" | "status">;

interface Outcome {
  readonly finding: string;
  readonly kind: string;
  readonly rule: string | null;
  readonly measure: string | null;
  readonly approval: string | null;
  /** What would hold until an approver decides. */
  readonly untilDecided: string | null;
  readonly days: number | null;
  readonly accounts: readonly string[];
  /** Named by the finding, and left alone by the policy. */
  readonly exempt: number;
}

/** The latest word on each finding of a replay's file. @throws CliError `input-damaged` */
async function fileFindings(file: string): Promise<readonly Tested[]> {
  const { z } = await import("zod");
  const shape = z.object({
    findings: z.array(
      z.object({
        id: z.string(),
        time: z.iso.datetime(),
        kind: z.enum(["account", "campaign", "probe"]),
        accounts: z.array(z.string()),
        detector: z.string().default(""),
        p: z.number().nullish(),
        e: z.number().nullish(),
      }),
    ),
  });
  const parsed = shape.safeParse(JSON.parse(await readFile(file, "utf8")));
  if (!parsed.success) throw new CliError("input-damaged", `${file}: expected {"findings": […]}`);
  const latest = new Map<string, Tested>();
  for (const { id, time, kind, accounts, detector, p, e } of parsed.data.findings) {
    const finding: Finding = {
      ...{ id, kind, detector, accounts, timeMs: Date.parse(time), pValue: p ?? null, eValue: e ?? null },
      ...{ errorRate: "", technique: null, summary: "", contributions: [] },
    };
    latest.set(id, { finding, status: "open" });
  }
  return [...latest.values()];
}

/** Which organisation an account belongs to is known for findings that are kept here, not for those of a file. */
async function outcomesOf(context: Context, policy: Policy, file: string | undefined): Promise<Outcome[]> {
  if (file !== undefined) return await judged(policy, await fileFindings(file), null);
  return await withState(context, async ({ state }) => {
    const { items, total } = await state.findings.list({ limit: MAX_TESTED });
    if (items.length < total)
      context.output.note(`The newest ${items.length} of ${total} findings are replayed.`);
    return await judged(policy, items, state);
  });
}

async function judged(policy: Policy, entries: readonly Tested[], state: State | null): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { finding, status } of entries) {
    const accounts = await nameable(policy, finding.accounts, state);
    const rule = ruleFor(policy, { finding, status, accounts, take: null });
    outcomes.push({
      finding: finding.id,
      kind: finding.kind,
      rule: rule?.id ?? null,
      measure: rule?.measure ?? null,
      approval: rule?.approval ?? null,
      untilDecided: rule?.untilDecided?.measure ?? null,
      days: rule?.days ?? null,
      accounts: rule === null ? [] : accounts,
      exempt: finding.accounts.length - accounts.length,
    });
  }
  return outcomes;
}

function print({ output }: Context, policy: Policy, outcomes: readonly Outcome[]): void {
  output.result({ policy: policyHash(policy), outcomes }, () => {
    output.table(outcomes, [
      { title: "finding", cell: ({ finding }) => finding, width: 40 },
      { title: "kind", cell: ({ kind }) => kind },
      { title: "rule", cell: ({ rule }) => rule },
      { title: "measure", cell: ({ measure }) => measure },
      { title: "approval", cell: ({ approval }) => approval },
      { title: "until decided", cell: ({ untilDecided }) => untilDecided },
      { title: "days", cell: ({ days }) => days, right: true },
      { title: "accounts", cell: ({ accounts }) => accounts.length, right: true },
      {
        title: "who",
        cell: ({ accounts }) => accounts.slice(0, ACCOUNTS_SHOWN).join(" ") || null,
        width: 60,
      },
    ]);
    if (asksForTake(policy)) output.note("Rules that ask for a take were left out.");
  });
}
