// Steps of a change to verdicts that work within somebody else's transaction.
import type { Kysely, Transaction } from "kysely";
import type { Act } from "../core/acts.ts";
import type { VerificationKind } from "../core/identity.ts";
import { isLive } from "../core/measure.ts";
import { StateError } from "./errors.ts";
import { nextRevision, VERDICTS } from "./revision.ts";
import type { Tables } from "./schema.ts";
import { LIVE } from "./verdict-query.ts";
import { type Verdict, verdictOf } from "./verdict-rows.ts";

/** Names in one act; a record of the log is small. */
const NAMES_PER_ACT = 1000;

/** @throws StateError `verdict-step` when the verdict does not name the account, or not any more */
export async function releaseAccount(
  transaction: Transaction<Tables>,
  { verdict, account, atMs }: { verdict: string; account: string; atMs: number },
): Promise<void> {
  const { status } = await demandIn(transaction, verdict);
  if (!isLive(status)) throw new StateError("verdict-step", `expected a verdict that is live, got ${status}`);
  const revision = await nextRevision(transaction, VERDICTS);
  const [result] = await transaction
    .updateTable("verdict_accounts")
    .set({ released_ms: atMs, revision })
    .where("verdict", "=", verdict)
    .where("account", "=", account)
    .where("released_ms", "is", null)
    .execute();
  if (Number(result?.numUpdatedRows ?? 0) === 1) return;
  throw new StateError("verdict-step", "expected an account that the verdict holds, got another");
}

/** Members of `verify` verdicts in force who were verified after they were named; at most a thousand at once. */
export async function verifiedMembers(
  db: Kysely<Tables>,
  kind: VerificationKind,
  nowMs: number,
): Promise<{ verdict: string; account: string }[]> {
  return await db
    .selectFrom("verdicts")
    .innerJoin("verdict_accounts", "verdict_accounts.verdict", "verdicts.id")
    .innerJoin("verifications", "verifications.subject", "verdict_accounts.account")
    .where("verdicts.measure", "=", "verify")
    .where("verdicts.status", "in", ["approved", "in-effect"])
    .where("verdicts.effective_ms", "<=", nowMs)
    .where("verdict_accounts.released_ms", "is", null)
    .where("verifications.subject_kind", "=", "account")
    .where("verifications.kind", "=", kind)
    .where("verifications.status", "=", "verified")
    .whereRef("verifications.at_ms", ">=", "verdicts.effective_ms")
    .whereRef("verifications.at_ms", ">=", "verdict_accounts.joined_ms")
    .select(["verdicts.id as verdict", "verdict_accounts.account as account"])
    .limit(1000)
    .execute();
}

/** The verdict, or StateError `verdict-unknown`. */
export async function demandIn(transaction: Transaction<Tables>, id: string): Promise<Verdict> {
  const row = await transaction.selectFrom("verdicts").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw unknownVerdict(id);
  return verdictOf(row);
}

/** The live verdict of the same rule about the same finding; null: there is none, or a person proposes. */
export async function sameProposal(
  transaction: Transaction<Tables>,
  {
    finding = null,
    rule = null,
    shadow,
  }: { readonly finding?: string | null; readonly rule?: string | null; readonly shadow: boolean },
): Promise<Verdict | null> {
  if (finding === null || rule === null) return null;
  const row = await transaction
    .selectFrom("verdicts")
    .selectAll()
    .where("finding", "=", finding)
    .where("rule", "=", rule)
    .where("shadow", "=", shadow ? 1 : 0)
    .where("status", "in", LIVE)
    .executeTakeFirst();
  return row === undefined ? null : verdictOf(row);
}

/** Those of the names that the verdict does not name, sorted. */
export async function strangers(
  transaction: Transaction<Tables>,
  verdict: string,
  names: readonly string[],
): Promise<string[]> {
  const known = await transaction
    .selectFrom("verdict_accounts")
    .select("account")
    .where("verdict", "=", verdict)
    .execute();
  const held = new Set(known.map(({ account }) => account));
  return [...new Set(names)].filter((name) => !held.has(name)).sort();
}

/** Who takes a step that a rule takes without asking anybody. */
export const POLICY_ACTOR = "policy";

export function proposedAct(verdict: Verdict): Act {
  const { id, finding, rule, policy, measure, reason, accounts, shadow, interim } = verdict;
  const detail = { verdict: id, finding, rule, policy, measure, reason, accounts, shadow };
  const untilDecided = interim === null ? {} : { untilDecided: interim };
  return { act: "verdict.proposed", account: null, detail: { ...detail, ...untilDecided } };
}

/** The acts that name accounts of a verdict. */
export function joinedActs(
  verdict: string,
  names: readonly string[],
  { inherited }: { inherited: boolean },
): Act[] {
  const acts: Act[] = [];
  for (let start = 0; start < names.length; start += NAMES_PER_ACT) {
    const some = names.slice(start, start + NAMES_PER_ACT);
    acts.push({ act: "verdict.joined", account: null, detail: { verdict, accounts: some, inherited } });
  }
  return acts;
}

/** When an approved verdict takes effect; never for one that nobody approved. */
export function effectOf({ effectiveMs }: Verdict): number {
  return effectiveMs ?? Number.POSITIVE_INFINITY;
}

export function isReached(verdict: Verdict, nowMs: number): boolean {
  return effectOf(verdict) <= nowMs;
}

export function inEffect(verdict: Verdict): Act {
  const detail = { verdict: verdict.id, effectiveMs: effectOf(verdict) };
  return { act: "verdict.in-effect", account: null, detail };
}

export function unknownVerdict(id: string): StateError {
  return new StateError("verdict-unknown", `expected a known verdict, got ${JSON.stringify(id)}`);
}
