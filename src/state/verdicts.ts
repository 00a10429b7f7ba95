// Verdicts: proposed by the policy or a person, approved, in effect, and ended; every step is an act in the log.
import type { Transaction } from "kysely";
import { z } from "zod";
import { accountsText } from "../core/account.ts";
import type { Act } from "../core/acts.ts";
import type { VerificationKind } from "../core/identity.ts";
import type { VerdictStatus } from "../core/measure.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { recordOutcomes } from "./outcomes.ts";
import { type Page, type PageQuery, pageOf, rowLimit } from "./paging.ts";
import { StatePart } from "./part.ts";
import { nextRevision, VERDICTS } from "./revision.ts";
import type { Tables } from "./schema.ts";
import {
  demandIn,
  effectOf,
  inEffect,
  isReached,
  joinedActs,
  POLICY_ACTOR,
  proposedAct,
  releaseAccount,
  sameProposal,
  strangers,
  unknownVerdict,
  verifiedMembers,
} from "./verdict-changes.ts";
import { namesOf, rowOf, type VerdictDraft } from "./verdict-draft.ts";
import { LIVE, matches, type VerdictQuery } from "./verdict-query.ts";
import {
  addStep,
  memberOf,
  newId,
  newReference,
  type Verdict,
  type VerdictEvent,
  type VerdictMember,
  verdictOf,
} from "./verdict-rows.ts";

export interface Step {
  /** Who takes it: `user:<name>`, `cli:<system user>`, `system`. */
  readonly by: string;
  readonly note: string;
}

/** How a verdict ends before its time. */
export interface Ending extends Recorded {
  /** The detector was wrong about every account: its record says so. */
  readonly isWrong?: boolean;
}

/** A change of status, from where it may be made, and what it says about the detector. */
interface Move extends Step {
  readonly from: readonly VerdictStatus[];
  readonly step: string;
  readonly outcome: "upheld" | "wrong" | null;
}

/** A person's reason is part of the record; a decision without one is none. */
const note = z.string().trim().min(1).max(2000);
const ROWS_PER_STATEMENT = 500;

export class Verdicts extends StatePart {
  /**
   * Several machines may find the same at the same time: a rule proposes once about a finding, and who comes second
   * gets the verdict that is there. @throws StateError `invalid-fact`
   */
  async propose(draft: VerdictDraft, { record }: Recorded = {}): Promise<Verdict> {
    const names = namesOf(draft);
    const nowMs = this.now();
    const id = newId("v", nowMs, this.random);
    return await this.db.transaction().execute(async (transaction) => {
      // Whoever changes verdicts waits here for others, so what is read next is the latest.
      const revision = await nextRevision(transaction, VERDICTS);
      const same = await sameProposal(transaction, draft);
      if (same !== null) return same;
      const row = rowOf(draft, { id, nowMs, revision, accounts: names.length });
      await transaction.insertInto("verdicts").values(row).execute();
      await this.#addAccounts(transaction, id, names, { inherited: false, revision });
      const { by, note: why = "" } = draft;
      await addStep(transaction, id, { atMs: nowMs, by, step: "proposed", note: why });
      const verdict = verdictOf(row);
      await record?.([proposedAct(verdict), ...joinedActs(id, names, { inherited: false })]);
      return verdict;
    });
  }

  /** Decides that it shall hold from `effectiveMs` on. @throws StateError `verdict-unknown`, `verdict-step` */
  async approve(
    id: string,
    { by, note: why, effectiveMs }: Step & { readonly effectiveMs: number },
    options: Recorded = {},
  ): Promise<Verdict> {
    const reason = parse(note, why, "note");
    const move = {
      from: ["proposed"] as const,
      by,
      note: reason,
      step: "approved",
      // A rule that needs no approval says nothing about whether the detector was right.
      outcome: by === POLICY_ACTOR ? null : "upheld",
    } as const;
    return await this.#step(id, move, options, (verdict) => {
      const effective = Math.max(Math.floor(effectiveMs), this.now());
      const expires = effective + verdict.lifeMs;
      const detail = { verdict: id, note: reason, effectiveMs: effective, expiresMs: expires };
      return {
        changes: { status: "approved", effective_ms: effective, expires_ms: expires },
        act: { act: "verdict.approved", account: null, detail },
      };
    });
  }

  /** Decides against a proposal. `isWrong`: the detector's record says so. @throws as `approve` */
  async reject(id: string, { by, note: why }: Step, options: Ending = {}): Promise<Verdict> {
    const reason = parse(note, why, "note");
    const outcome = options.isWrong === true ? "wrong" : null;
    const move = { from: ["proposed"] as const, by, note: reason, step: "rejected", outcome } as const;
    return await this.#step(id, move, options, () => ({
      changes: { status: "rejected", ended_ms: this.now() },
      act: { act: "verdict.rejected", account: null, detail: { verdict: id, note: reason } },
    }));
  }

  /** Ends it for everybody, at once. @throws StateError `verdict-unknown`, `verdict-step` */
  async lift(id: string, { by, note: why }: Step, options: Ending = {}): Promise<Verdict> {
    const reason = parse(note, why, "note");
    const outcome = options.isWrong === true ? "wrong" : null;
    const move = { from: LIVE, by, note: reason, step: "lifted", outcome } as const;
    return await this.#step(id, move, options, () => ({
      changes: { status: "lifted", ended_ms: this.now() },
      act: { act: "verdict.lifted", account: null, detail: { verdict: id, note: reason } },
    }));
  }

  /** Frees one account of it, such as one that passed a verification. @throws StateError `verdict-unknown`, `verdict-step` */
  async release(
    id: string,
    account: string,
    { by, note: why }: Step,
    { record }: Recorded = {},
  ): Promise<void> {
    const reason = parse(note, why, "note");
    await this.db.transaction().execute(async (transaction) => {
      await releaseAccount(transaction, { verdict: id, account, atMs: this.now() });
      const text = `${account}: ${reason}`;
      await addStep(transaction, id, { atMs: this.now(), by, step: "released", note: text });
      await record?.([{ act: "verdict.released", account, detail: { verdict: id, note: reason } }]);
    });
  }

  /**
   * Frees accounts under `verify` for which a verification of this kind was recorded since the measure named them.
   * Returns how many.
   */
  async releaseVerified(kind: VerificationKind, { record }: Recorded = {}): Promise<number> {
    const due = await verifiedMembers(this.db, kind, this.now());
    for (const { verdict, account } of due) {
      const step = { by: "system", note: `verified: ${kind}` };
      await this.release(verdict, account, step, { ...(record && { record }) }).catch((error: unknown) => {
        // Another machine has freed it meanwhile.
        if (!(error instanceof StateError && error.code === "verdict-step")) throw error;
      });
    }
    return due.length;
  }

  /** Names further accounts, up to the verdict's limit. Returns those that were new, and how many found no room. */
  async join(
    id: string,
    names: readonly string[],
    { record }: Recorded = {},
  ): Promise<{ joined: string[]; refused: number }> {
    return await this.db.transaction().execute(async (transaction) => {
      if ((await strangers(transaction, id, names)).length === 0) return { joined: [], refused: 0 };
      const revision = await nextRevision(transaction, VERDICTS);
      // Read again behind the counter's lock: another machine may have been faster.
      const verdict = await demandIn(transaction, id);
      const fresh = await strangers(transaction, id, names);
      const room = Math.max(verdict.inheritLimit - verdict.inherited, 0);
      const joined = fresh.slice(0, room);
      if (joined.length === 0) return { joined, refused: fresh.length };
      await this.#addAccounts(transaction, id, joined, { inherited: true, revision });
      const counts = {
        account_count: verdict.accounts + joined.length,
        inherited_count: verdict.inherited + joined.length,
      };
      await transaction.updateTable("verdicts").set(counts).where("id", "=", id).execute();
      const text = accountsText(joined.length);
      await addStep(transaction, id, { atMs: this.now(), by: "system", step: "joined", note: text });
      await record?.(joinedActs(id, joined, { inherited: true }));
      return { joined, refused: fresh.length - joined.length };
    });
  }

  /** Takes the steps that time takes: approved ones come into effect, others expire. Returns the changed ones. */
  async advance({ proposalLifeMs, record }: Recorded & { proposalLifeMs: number }): Promise<Verdict[]> {
    const now = this.now();
    const due = await this.db
      .selectFrom("verdicts")
      .select(["id", "status"])
      .where((row) =>
        row.or([
          row.and([row("status", "=", "approved"), row("effective_ms", "<=", now)]),
          row.and([row("status", "in", ["approved", "in-effect"]), row("expires_ms", "<=", now)]),
          row.and([row("status", "=", "proposed"), row("proposed_ms", "<=", now - proposalLifeMs)]),
        ]),
      )
      .limit(1000)
      .execute();
    const changed: Verdict[] = [];
    for (const { id, status } of due) {
      const verdict = await this.demand(id);
      // Another machine was faster: what it made of the verdict is due for nothing yet.
      if (verdict.status !== status) continue;
      const isOver = verdict.expiresMs === null ? verdict.status === "proposed" : verdict.expiresMs <= now;
      const step = isOver ? "expired" : "in-effect";
      const act: Act = isOver
        ? { act: "verdict.expired", account: null, detail: { verdict: id } }
        : inEffect(verdict);
      const changes = { status: step, ...(isOver ? { ended_ms: now } : {}) };
      const move = { from: [verdict.status], by: "system", note: "", step, outcome: null };
      const moved = await this.#step(id, move, { ...(record && { record }) }, () => ({ changes, act })).catch(
        (error: unknown) => {
          // Another machine has taken the same step meanwhile.
          if (error instanceof StateError && error.code === "verdict-step") return null;
          throw error;
        },
      );
      if (moved !== null) changed.push(moved);
    }
    return changed;
  }

  /** When any finding last changed; 0 before the first. Cheap, where reading all findings is not. */
  async findingsChangedMs(): Promise<number> {
    const { last } = await this.db
      .selectFrom("findings")
      .select((row) => row.fn.max("updated_ms").as("last"))
      .executeTakeFirstOrThrow();
    return Number(last ?? 0);
  }

  async get(id: string): Promise<Verdict | null> {
    const row = await this.db.selectFrom("verdicts").selectAll().where("id", "=", id).executeTakeFirst();
    return row === undefined ? null : verdictOf(row);
  }

  /** The verdict, or StateError `verdict-unknown`. */
  async demand(id: string): Promise<Verdict> {
    const verdict = await this.get(id);
    if (verdict === null) throw unknownVerdict(id);
    return verdict;
  }

  /** Newest first. */
  async list(query: VerdictQuery = {}): Promise<Page<Verdict>> {
    const matching = this.db.selectFrom("verdicts").where((expression) => matches(expression, query));
    const ordered = matching.selectAll().orderBy("proposed_ms", "desc").orderBy("id", "desc");
    return await pageOf(matching, ordered, query, verdictOf);
  }

  /** In the order of names. `account`: that one alone. */
  async members(
    id: string,
    { offset = 0, limit, account }: PageQuery & { readonly account?: string } = {},
  ): Promise<VerdictMember[]> {
    const rows = await this.db
      .selectFrom("verdict_accounts")
      .selectAll()
      .where("verdict", "=", id)
      .$if(account !== undefined, (query) => query.where("account", "=", account ?? ""))
      .orderBy("account")
      .limit(rowLimit(limit))
      .offset(Math.max(Math.trunc(offset), 0))
      .execute();
    return rows.map(memberOf);
  }

  /** Oldest first. */
  async history(id: string): Promise<VerdictEvent[]> {
    const rows = await this.db
      .selectFrom("verdict_history")
      .selectAll()
      .where("verdict", "=", id)
      .orderBy("number")
      .execute();
    return rows.map(({ at_ms, actor, step, note: text }) => ({
      atMs: Number(at_ms),
      by: actor,
      step,
      note: text,
    }));
  }

  /** Which account of which verdict a customer's reference stands for. `reference` is attacker-controlled. */
  async byReference(reference: string): Promise<{ verdict: Verdict; member: VerdictMember } | null> {
    const row = await this.db
      .selectFrom("verdict_accounts")
      .selectAll()
      .where("reference", "=", reference)
      .executeTakeFirst();
    if (row === undefined) return null;
    return { verdict: await this.demand(row.verdict), member: memberOf(row) };
  }

  async #step(
    id: string,
    { from, by, note: text, step, outcome }: Move,
    { record }: Recorded,
    change: (verdict: Verdict) => { changes: Partial<Tables["verdicts"]>; act: Act },
  ): Promise<Verdict> {
    return await this.db.transaction().execute(async (transaction) => {
      const verdict = await demandIn(transaction, id);
      if (!from.includes(verdict.status)) {
        const message = `expected a verdict that is ${from.join(" or ")}, got one that is ${verdict.status}`;
        throw new StateError("verdict-step", message);
      }
      const { changes, act } = change(verdict);
      // Gateways enforce it from its time on, whether or not anybody has looked since: an end must not hide that.
      const wasEnforced = verdict.status === "approved" && isReached(verdict, this.now());
      const acts = wasEnforced && step !== "in-effect" ? [inEffect(verdict), act] : [act];
      if (acts.length > 1)
        await addStep(transaction, id, {
          atMs: effectOf(verdict),
          by: "system",
          step: "in-effect",
          note: "",
        });
      const revision = await nextRevision(transaction, VERDICTS);
      await transaction
        .updateTable("verdicts")
        .set({ ...changes, revision })
        .where("id", "=", id)
        .execute();
      await addStep(transaction, id, { atMs: this.now(), by, step, note: text });
      if (outcome !== null) await recordOutcomes(transaction, { verdict, outcome, atMs: this.now() });
      await record?.(acts);
      return await demandIn(transaction, id);
    });
  }

  async #addAccounts(
    transaction: Transaction<Tables>,
    verdict: string,
    names: readonly string[],
    { inherited, revision }: { inherited: boolean; revision: number },
  ): Promise<void> {
    const joined_ms = this.now();
    for (let start = 0; start < names.length; start += ROWS_PER_STATEMENT) {
      const rows = names.slice(start, start + ROWS_PER_STATEMENT).map((account) => ({
        ...{ verdict, account, joined_ms, revision },
        reference: newReference(this.random),
        inherited: inherited ? 1 : 0,
        released_ms: null,
      }));
      await transaction.insertInto("verdict_accounts").values(rows).execute();
    }
  }
}
