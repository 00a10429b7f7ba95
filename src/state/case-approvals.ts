// A second person's agreement to what one person must not do alone: opening content, erasing, exporting.
import type { Selectable } from "kysely";
import { z } from "zod";
import { APPROVAL_ACTIONS, type ApprovalAction } from "../core/case-acts.ts";
import { timeId } from "../core/ids.ts";
import type { Recorded } from "./accounts.ts";
import type { ApprovalsTable } from "./case-tables.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { StatePart } from "./part.ts";

export interface Approval {
  readonly id: string;
  readonly action: ApprovalAction;
  /** What it is about: a case, an account, an exchange. */
  readonly subject: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedMs: number;
  readonly decision: "approved" | "refused" | null;
  readonly decidedBy: string | null;
  readonly decidedMs: number | null;
  readonly note: string | null;
  readonly usedMs: number | null;
}

/** An agreement that was not used within a day must be asked for again. */
export const APPROVAL_LIFE_MS: number = 24 * 3_600_000;
const RANDOM_BYTES = 10;
const LISTED = 1000;

export interface ApprovalRequest {
  readonly action: ApprovalAction;
  readonly subject: string;
  readonly reason: string;
  readonly by: string;
}

export interface ApprovalDecision {
  readonly decision: "approved" | "refused";
  readonly by: string;
  readonly note: string;
}

const request: z.ZodType<ApprovalRequest> = z.object({
  action: z.enum(APPROVAL_ACTIONS),
  subject: z.string().min(1).max(512),
  reason: z.string().trim().min(1).max(2000),
  by: z.string().min(1).max(255),
});
const decision: z.ZodType<ApprovalDecision> = z.object({
  decision: z.enum(["approved", "refused"]),
  by: z.string().min(1).max(255),
  note: z.string().max(2000),
});

export class Approvals extends StatePart {
  /** Asks for one. @throws StateError `invalid-fact` */
  async request(asked: ApprovalRequest, { record }: Recorded = {}): Promise<Approval> {
    const { action, subject, reason, by } = parse(request, asked, "approval");
    const atMs = this.now();
    const id = timeId("appr", atMs, this.random(RANDOM_BYTES));
    await this.db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("approvals")
        .values({ id, action, subject, reason, requested_by: by, requested_ms: atMs })
        .execute();
      const detail = { approval: id, action, subject, reason };
      await record?.([{ act: "approval.requested", account: null, detail }]);
    });
    return await this.demand(id);
  }

  /** Somebody else than who asked. @throws StateError `approval-unknown`, `approval-step`, `invalid-fact` */
  async decide(id: string, decided: ApprovalDecision, { record }: Recorded = {}): Promise<Approval> {
    const { decision: word, by, note } = parse(decision, decided, "decision");
    await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("approvals")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      if (row === undefined) throw unknown(id);
      if (row.decision !== null) throw new StateError("approval-step", `${id} is ${row.decision} already`);
      if (row.requested_by === by)
        throw new StateError("approval-step", `expected another person than ${by}, who asked for it`);
      await transaction
        .updateTable("approvals")
        .set({ decision: word, decided_by: by, decided_ms: this.now(), note })
        .where("id", "=", id)
        .where("decision", "is", null)
        .execute();
      await record?.([
        { act: "approval.decided", account: null, detail: { approval: id, decision: word, note } },
      ]);
    });
    return await this.demand(id);
  }

  /** Takes an agreement that this person asked for and has not used; it serves once. Null: there is none. */
  async use(action: ApprovalAction, subject: string, by: string): Promise<Approval | null> {
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("approvals")
        .selectAll()
        .where("action", "=", action)
        .where("subject", "=", subject)
        .where("requested_by", "=", by)
        .where("decision", "=", "approved")
        .where("used_ms", "is", null)
        .where("decided_ms", ">", this.now() - APPROVAL_LIFE_MS)
        .orderBy("requested_ms")
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return null;
      const usedMs = this.now();
      await transaction.updateTable("approvals").set({ used_ms: usedMs }).where("id", "=", row.id).execute();
      return approvalOf({ ...row, used_ms: usedMs });
    });
  }

  /** The one that waits for a decision, so that asking twice makes no second request. */
  async waiting(action: ApprovalAction, subject: string, by: string): Promise<Approval | null> {
    const row = await this.db
      .selectFrom("approvals")
      .selectAll()
      .where("action", "=", action)
      .where("subject", "=", subject)
      .where("requested_by", "=", by)
      .where("decision", "is", null)
      .orderBy("requested_ms")
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? null : approvalOf(row);
  }

  /** Newest first, at most a thousand. */
  async list({ undecided = false }: { undecided?: boolean } = {}): Promise<Approval[]> {
    let query = this.db.selectFrom("approvals").selectAll();
    if (undecided) query = query.where("decision", "is", null);
    const rows = await query.orderBy("requested_ms", "desc").orderBy("id").limit(LISTED).execute();
    return rows.map(approvalOf);
  }

  /** The approval, or StateError `approval-unknown`. */
  async demand(id: string): Promise<Approval> {
    const row = await this.db.selectFrom("approvals").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw unknown(id);
    return approvalOf(row);
  }
}

function unknown(id: string): StateError {
  return new StateError("approval-unknown", `expected an approval, got ${id}`);
}

function approvalOf(row: Selectable<ApprovalsTable>): Approval {
  const { id, subject, reason, note } = row;
  return {
    ...{ id, subject, reason, note },
    action: z.enum(APPROVAL_ACTIONS).parse(row.action),
    requestedBy: row.requested_by,
    requestedMs: Number(row.requested_ms),
    decision: row.decision === null ? null : z.enum(["approved", "refused"]).parse(row.decision),
    decidedBy: row.decided_by,
    decidedMs: row.decided_ms === null ? null : Number(row.decided_ms),
    usedMs: row.used_ms === null ? null : Number(row.used_ms),
  };
}
