// `adyton policy test`: puts findings through a policy, and says what would have happened to whom. Changes nothing.
import type { FindingStatus } from "../../core/acts.ts";
import { rankOf } from "../../core/measure.ts";
import { asksForTake, ruleFor, type Take } from "../../respond/choose.ts";
import { nameable } from "../../respond/nameable.ts";
import { type Policy, policyHash, type Rule } from "../../respond/policy.ts";
import type { State } from "../../state/state.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { count } from "../output.ts";
import { servedTo } from "../served.ts";
import { withState } from "../with-state.ts";
import { withStore } from "../with-store.ts";
import { findingsOf, type Tested } from "./findings-file.ts";

/** Findings that a test replays: the newest. */
const MAX_TESTED = 1000;
const ACCOUNTS_SHOWN = 3;

interface Outcome {
  readonly finding: string;
  readonly kind: string;
  readonly status: FindingStatus;
  readonly rule: string | null;
  readonly measure: Rule["measure"] | null;
  readonly approval: Rule["approval"] | null;
  /** What would hold until an approver decides. */
  readonly untilDecided: string | null;
  readonly days: number | null;
  readonly accounts: readonly string[];
  /** Named by the finding, and left alone by the policy. */
  readonly exempt: number;
  /** What the accounts were served; null: the policy does not ask, or nobody could count it. */
  readonly take: Take | null;
}

/** Where what was served is counted; null: it isn't. */
type TakeOf = ((accounts: readonly string[]) => Promise<Take>) | null;

/** `file`: findings of a replay instead of those kept. @throws CliError `input-damaged` */
export async function tryPolicy(context: Context, policy: Policy, file: string | undefined): Promise<void> {
  if (file !== undefined) {
    const outcomes = await judged(policy, await findingsOf(file), { state: null, takeOf: null });
    print(context, policy, outcomes, asksForTake(policy) ? "a file of findings holds no exchanges" : null);
    return;
  }
  await withState(context, async ({ state }) => {
    const { items, total } = await state.findings.list({ limit: MAX_TESTED });
    if (items.length < total)
      context.output.note(`The newest ${items.length} of ${total} findings are replayed.`);
    const judge = (store: Store | null): Promise<Outcome[]> =>
      judged(policy, items, { state, takeOf: store === null ? null : (names) => servedTo(store, names) });
    if (!asksForTake(policy)) {
      print(context, policy, await judge(null), null);
      return;
    }
    try {
      print(context, policy, await withStore(context, judge), null);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "store.locked") throw error;
      print(context, policy, await judge(null), "a running server holds the store");
    }
  });
}

/** Which organisation an account belongs to is known for findings that are kept here, not for those of a file. */
async function judged(
  policy: Policy,
  entries: readonly Tested[],
  { state, takeOf }: { state: State | null; takeOf: TakeOf },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { finding, status } of entries) {
    const accounts = await nameable(policy, finding.accounts, state);
    const take = takeOf === null || accounts.length === 0 ? null : await takeOf(accounts);
    const rule = ruleFor(policy, { finding, status, accounts, take });
    outcomes.push({
      ...{ finding: finding.id, kind: finding.kind, status },
      rule: rule?.id ?? null,
      measure: rule?.measure ?? null,
      approval: rule?.approval ?? null,
      untilDecided: rule?.untilDecided?.measure ?? null,
      days: rule?.days ?? null,
      accounts: rule === null ? [] : accounts,
      exempt: finding.accounts.length - accounts.length,
      take,
    });
  }
  return outcomes;
}

/** Each account once, under the strongest measure that would name it, the strongest first. */
function touched(outcomes: readonly Outcome[]): Map<Rule["measure"], number> {
  const strongest = new Map<string, Rule["measure"]>();
  for (const { measure, accounts } of outcomes) {
    if (measure === null) continue;
    for (const account of accounts) {
      const known = strongest.get(account);
      if (known === undefined || rankOf(measure) > rankOf(known)) strongest.set(account, measure);
    }
  }
  const counts = new Map<Rule["measure"], number>();
  const byRank = [...strongest.values()].sort((one, other) => rankOf(other) - rankOf(one));
  for (const measure of byRank) counts.set(measure, (counts.get(measure) ?? 0) + 1);
  return counts;
}

/** `uncounted`: why rules that ask for a take could not hold; null: all could. */
function print(
  { output }: Context,
  policy: Policy,
  outcomes: readonly Outcome[],
  uncounted: string | null,
): void {
  const measures = touched(outcomes);
  const answer = { policy: policyHash(policy), touched: Object.fromEntries(measures), outcomes };
  output.result(answer, () => {
    if (outcomes.length === 0) output.line("There is no finding to try it on.");
    else {
      printTable(output, outcomes);
      const parts = [...measures].map(([measure, accounts]) => `${measure} ${count(accounts)}`);
      output.line();
      output.line(
        `Accounts, each under the strongest measure that names it: ${parts.join(", ") || "none"}. Nothing was changed.`,
      );
    }
  });
  if (uncounted !== null)
    output.note(
      `Rules that ask what was served (exchangesAtLeast, tokensAtLeast) don't hold here: ${uncounted}.`,
    );
}

function printTable(output: Context["output"], outcomes: readonly Outcome[]): void {
  output.table(outcomes, [
    { title: "finding", cell: ({ finding }) => finding, width: 40 },
    { title: "kind", cell: ({ kind }) => kind },
    { title: "status", cell: ({ status }) => status },
    { title: "rule", cell: ({ rule }) => rule },
    { title: "measure", cell: ({ measure }) => measure },
    { title: "approval", cell: approvalText },
    { title: "days", cell: ({ days }) => days, right: true },
    { title: "accounts", cell: ({ accounts }) => count(accounts.length), right: true },
    { title: "exempt", cell: ({ exempt }) => (exempt === 0 ? null : count(exempt)), right: true },
    { title: "who", cell: whoText, width: 60 },
  ]);
}

function approvalText({ approval, untilDecided }: Outcome): string | null {
  return untilDecided === null ? approval : `${approval}, ${untilDecided} until then`;
}

function whoText({ accounts }: Outcome): string | null {
  const more = accounts.length > ACCOUNTS_SHOWN ? " …" : "";
  return `${accounts.slice(0, ACCOUNTS_SHOWN).join(" ")}${more}` || null;
}
