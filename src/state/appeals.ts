// Appeals: what a customer says against a measure, and what an approver decides about it.
import type { Selectable } from "kysely";
import { z } from "zod";
import type { Act } from "../core/acts.ts";
import { APPEAL_STATUSES, type AppealStatus, isLive } from "../core/measure.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { recordOutcome } from "./outcomes.ts";
import { type Page, type PageQuery, pageOf } from "./paging.ts";
import { StatePart } from "./part.ts";
import type { AppealsTable } from "./response-tables.ts";
import { nextRevision, VERDICTS } from "./revision.ts";
import { releaseAccount } from "./verdict-changes.ts";
import { addStep, isReference, memberOf, newId, numberOrNull, verdictOf } from "./verdict-rows.ts";

export interface Appeal {
  readonly id: string;
  readonly verdict: string;
  readonly account: string;
  readonly reference: string;
  /** Attacker-controlled: the customer's own words. */
  readonly statement: string;
  readonly status: AppealStatus;
  readonly filedMs: number;
  readonly decidedMs: number | null;
  readonly decidedBy: string | null;
  /** What the customer is told. */
  readonly reason: string | null;
}

export interface AppealQuery extends PageQuery {
  readonly status?: AppealStatus | undefined;
  readonly account?: string | undefined;
  readonly verdict?: string | undefined;
}

export interface AppealDecision {
  readonly outcome: "granted" | "refused";
  readonly by: string;
  /** The customer reads it. */
  readonly reason: string;
  /** Granted for every account of the verdict: it is lifted as a whole. */
  readonly forAll?: boolean;
}

/** Longest statement, characters. */
export const MAX_STATEMENT = 4000;
/** Statements that one account can make about one verdict; a person reads each. */
export const MAX_STATEMENTS = 3;

const statementText = z.string().trim().min(1).max(MAX_STATEMENT);
const reasonText = z.string().trim().min(1).max(2000);
const status: z.ZodType<AppealStatus> = z.enum(APPEAL_STATUSES);

export class Appeals extends StatePart {
  /**
   * Takes a customer's statement. Both arguments are attacker-controlled; whoever knows the reference may speak.
   * @throws StateError `appeal-unknown` (no such reference), `appeal-step`, `invalid-fact`
   */
  async file(reference: string, statement: string, { record }: Recorded = {}): Promise<Appeal> {
    const text = parse(statementText, statement, "statement");
    if (!isReference(reference)) throw unknown("reference");
    return await this.db.transaction().execute(async (transaction) => {
      const found = await transaction
        .selectFrom("verdict_accounts")
        .selectAll()
        .where("reference", "=", reference)
        .executeTakeFirst();
      if (found === undefined) throw unknown("reference");
      const { account, releasedMs } = memberOf(found);
      const verdict = await transaction
        .selectFrom("verdicts")
        .selectAll()
        .where("id", "=", found.verdict)
        .executeTakeFirstOrThrow();
      const earlier = await transaction
        .selectFrom("appeals")
        .select("status")
        .where("reference", "=", reference)
        .execute();
      const isOpen = earlier.some((appeal) => appeal.status === "open");
      if (
        isOpen ||
        earlier.length >= MAX_STATEMENTS ||
        releasedMs !== null ||
        !isLive(verdictOf(verdict).status)
      ) {
        throw new StateError(
          "appeal-step",
          "expected a measure that holds and about which something can be said",
        );
      }
      const filed_ms = this.now();
      const row = {
        ...{ verdict: found.verdict, account, reference, statement: text, filed_ms },
        id: newId("a", filed_ms, this.random),
        status: "open",
        decided_ms: null,
        decided_by: null,
        reason: null,
      };
      await transaction.insertInto("appeals").values(row).execute();
      await addStep(transaction, found.verdict, {
        ...{ atMs: filed_ms, by: "customer", step: "appealed" },
        note: row.id,
      });
      const detail = { appeal: row.id, verdict: found.verdict, statement: text };
      await record?.([{ act: "appeal.filed", account, detail }]);
      return appealOf(row);
    });
  }

  /**
   * Decides. Granted: the account is free at once (or everybody the verdict names), and the detector's record says
   * that it was wrong. @throws StateError `appeal-unknown`, `appeal-step`, `invalid-fact`
   */
  async decide(
    id: string,
    { outcome, by, reason, forAll = false }: AppealDecision,
    { record }: Recorded = {},
  ): Promise<Appeal> {
    const text = parse(reasonText, reason, "reason");
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction.selectFrom("appeals").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined) throw unknown(id);
      const appeal = appealOf(row);
      if (appeal.status !== "open") {
        throw new StateError("appeal-step", `expected an open appeal, got one that is ${appeal.status}`);
      }
      const decided_ms = this.now();
      const changes = { status: outcome, decided_ms, decided_by: by, reason: text };
      await transaction.updateTable("appeals").set(changes).where("id", "=", id).execute();
      const verdict = verdictOf(
        await transaction
          .selectFrom("verdicts")
          .selectAll()
          .where("id", "=", appeal.verdict)
          .executeTakeFirstOrThrow(),
      );
      const step = { atMs: decided_ms, by, step: `appeal ${outcome}`, note: `${id}: ${text}` };
      await addStep(transaction, verdict.id, step);
      const detail = { appeal: id, verdict: verdict.id, outcome, reason: text };
      const acts: Act[] = [{ act: "appeal.decided", account: appeal.account, detail }];
      if (outcome === "granted") {
        await recordOutcome(transaction, {
          verdict,
          account: appeal.account,
          outcome: "wrong",
          atMs: decided_ms,
        });
        // It may have ended meanwhile; the decision stands either way.
        if (isLive(verdict.status) && forAll) {
          const revision = await nextRevision(transaction, VERDICTS);
          await transaction
            .updateTable("verdicts")
            .set({ status: "lifted", ended_ms: decided_ms, revision })
            .where("id", "=", verdict.id)
            .execute();
          acts.push({ act: "verdict.lifted", account: null, detail: { verdict: verdict.id, note: text } });
        } else if (isLive(verdict.status)) {
          await releaseAccount(transaction, {
            verdict: verdict.id,
            account: appeal.account,
            atMs: decided_ms,
          });
          const released = { verdict: verdict.id, note: text };
          acts.push({ act: "verdict.released", account: appeal.account, detail: released });
        }
      }
      await record?.(acts);
      return { ...appeal, ...{ status: outcome, decidedMs: decided_ms, decidedBy: by, reason: text } };
    });
  }

  /** The appeal, or StateError `appeal-unknown`. */
  async demand(id: string): Promise<Appeal> {
    const row = await this.db.selectFrom("appeals").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw unknown(id);
    return appealOf(row);
  }

  /** What was said under one reference, oldest first. */
  async ofReference(reference: string): Promise<Appeal[]> {
    const rows = await this.db
      .selectFrom("appeals")
      .selectAll()
      .where("reference", "=", reference)
      .orderBy("filed_ms")
      .orderBy("id")
      .execute();
    return rows.map(appealOf);
  }

  /** Oldest first: who waits longest is answered first. */
  async list(query: AppealQuery = {}): Promise<Page<Appeal>> {
    const matching = this.db
      .selectFrom("appeals")
      .where((expression) =>
        expression.and([
          ...(query.status === undefined ? [] : [expression("status", "=", query.status)]),
          ...(query.account === undefined ? [] : [expression("account", "=", query.account)]),
          ...(query.verdict === undefined ? [] : [expression("verdict", "=", query.verdict)]),
        ]),
      );
    const ordered = matching.selectAll().orderBy("filed_ms").orderBy("id");
    return await pageOf(matching, ordered, query, appealOf);
  }
}

function unknown(id: string): StateError {
  return new StateError("appeal-unknown", `expected a known appeal, got ${JSON.stringify(id)}`);
}

function appealOf(row: Selectable<AppealsTable>): Appeal {
  return {
    id: row.id,
    verdict: row.verdict,
    account: row.account,
    reference: row.reference,
    statement: row.statement,
    status: status.parse(row.status),
    filedMs: Number(row.filed_ms),
    decidedMs: numberOrNull(row.decided_ms),
    decidedBy: row.decided_by,
    reason: row.reason,
  };
}
