// What is known beyond facts of an account or organisation: what was verified, what use was declared, and how that came about.
import type { Selectable, Transaction } from "kysely";
import { z } from "zod";
import {
  DECLARED_USES,
  type DeclaredUse,
  type SubjectKind,
  VERIFICATION_KINDS,
  VERIFICATION_STATUSES,
  type VerificationKind,
  type VerificationStatus,
} from "../core/identity.ts";
import { type Recorded, setDeclaredUse } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { addHistory, type IdentityEvent, readHistory, type Subject } from "./identity-history.ts";
import type { DeclaredUsesTable, VerificationsTable } from "./identity-tables.ts";
import { unknown as unknownOrganization } from "./organizations.ts";
import { StatePart } from "./part.ts";
import type { Tables } from "./schema.ts";

export interface Verification {
  readonly kind: VerificationKind;
  readonly status: VerificationStatus;
  /** Where the proof is kept: a ticket, a contract. Never the proof itself. */
  readonly reference: string;
  readonly atMs: number;
  readonly expiresMs: number | null;
  readonly by: string;
}

export interface Declaration {
  readonly use: DeclaredUse;
  /** In the customer's words. */
  readonly statement: string;
  /** Of the agreement, where there is one; `synthetic-data` needs it. */
  readonly reference: string;
  readonly atMs: number;
  readonly untilMs: number | null;
  readonly withdrawnMs: number | null;
  readonly by: string;
}

export interface NewVerification {
  readonly kind: VerificationKind;
  readonly status: VerificationStatus;
  readonly reference?: string | undefined;
  readonly expiresMs?: number | null | undefined;
}

export interface NewDeclaration {
  readonly use: DeclaredUse;
  readonly statement?: string | undefined;
  readonly reference?: string | undefined;
  readonly untilMs?: number | null | undefined;
}

const text = z.string().trim().max(2000).default("");
const moment = z.number().int().positive().nullable().default(null);
const newVerification = z.object({
  kind: z.enum(VERIFICATION_KINDS),
  status: z.enum(VERIFICATION_STATUSES),
  reference: text,
  expiresMs: moment,
});
const newDeclaration = z
  .object({ use: z.enum(DECLARED_USES), statement: text, reference: text, untilMs: moment })
  .refine(({ use, reference }) => use !== "synthetic-data" || reference !== "", {
    error: "expected the agreement's reference",
    path: ["reference"],
  });

export class Standing extends StatePart {
  /** Replaces what was known of this kind; the history keeps it. @throws StateError `account-unknown`, `organization-unknown`, `invalid-fact` */
  async verify(
    subject: Subject,
    told: NewVerification,
    { record, by = "system" }: Recorded = {},
  ): Promise<Verification> {
    const { kind, status, reference, expiresMs } = parse(newVerification, told, "verification");
    return await this.db.transaction().execute(async (transaction) => {
      await demandSubject(transaction, subject);
      const now = this.now();
      const columns = { status, reference, at_ms: now, expires_ms: expiresMs, actor: by };
      await transaction
        .insertInto("verifications")
        .values({ ...columns, subject_kind: subject.kind, subject: subject.name, kind })
        .onConflict((conflict) => conflict.columns(["subject_kind", "subject", "kind"]).doUpdateSet(columns))
        .execute();
      const detail = { ...nameOf(subject), verification: kind, status, reference, expiresMs };
      await addHistory(transaction, subject, { atMs: now, by, act: "verification.recorded", detail });
      await record?.([{ act: "verification.recorded", account: accountOf(subject), detail }]);
      return { kind, status, reference, atMs: now, expiresMs, by };
    });
  }

  /** An account's declared use becomes its fact too, so that detection hears of it. @throws as `verify` */
  async declare(
    subject: Subject,
    told: NewDeclaration,
    { record, by = "system" }: Recorded = {},
  ): Promise<Declaration> {
    const { use, statement, reference, untilMs } = parse(newDeclaration, told, "declared use");
    return await this.db.transaction().execute(async (transaction) => {
      await demandSubject(transaction, subject);
      const now = this.now();
      const columns = {
        statement,
        reference,
        at_ms: now,
        until_ms: untilMs,
        withdrawn_ms: null,
        actor: by,
      };
      await transaction
        .insertInto("declared_uses")
        .values({ ...columns, subject_kind: subject.kind, subject: subject.name, use_name: use })
        .onConflict((conflict) =>
          conflict.columns(["subject_kind", "subject", "use_name"]).doUpdateSet(columns),
        )
        .execute();
      const detail = { ...nameOf(subject), use, statement, reference, untilMs };
      await addHistory(transaction, subject, { atMs: now, by, act: "declared-use.recorded", detail });
      const facts = await factActs(transaction, subject, use, now);
      await record?.([{ act: "declared-use.recorded", account: accountOf(subject), detail }, ...facts]);
      return { use, statement, reference, atMs: now, untilMs, withdrawnMs: null, by };
    });
  }

  /** @throws StateError `declared-use-unknown` when it was not declared, or is withdrawn already */
  async withdraw(
    subject: Subject,
    use: DeclaredUse,
    { record, by = "system" }: Recorded = {},
  ): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      const now = this.now();
      const withdrawn = await transaction
        .updateTable("declared_uses")
        .set({ withdrawn_ms: now, actor: by })
        .where("subject_kind", "=", subject.kind)
        .where("subject", "=", subject.name)
        .where("use_name", "=", use)
        .where("withdrawn_ms", "is", null)
        .returning("use_name")
        .executeTakeFirst();
      if (withdrawn === undefined)
        throw new StateError("declared-use-unknown", `expected a declared use, got ${JSON.stringify(use)}`);
      const detail = { ...nameOf(subject), use };
      await addHistory(transaction, subject, { atMs: now, by, act: "declared-use.withdrawn", detail });
      const [left] = await transaction
        .selectFrom("declared_uses")
        .select("use_name")
        .where("subject_kind", "=", subject.kind)
        .where("subject", "=", subject.name)
        .where("withdrawn_ms", "is", null)
        .orderBy("at_ms", "desc")
        .limit(1)
        .execute();
      const facts = await factActs(transaction, subject, left?.use_name ?? null, now);
      await record?.([{ act: "declared-use.withdrawn", account: accountOf(subject), detail }, ...facts]);
    });
  }

  /** In the order of kinds. */
  async verifications({ kind, name }: Subject): Promise<Verification[]> {
    const rows = await this.db
      .selectFrom("verifications")
      .selectAll()
      .where("subject_kind", "=", kind)
      .where("subject", "=", name)
      .orderBy("kind")
      .execute();
    return rows.map(verificationOf);
  }

  /** Newest first, with those that were withdrawn or have ended. */
  async declarations({ kind, name }: Subject): Promise<Declaration[]> {
    const rows = await this.db
      .selectFrom("declared_uses")
      .selectAll()
      .where("subject_kind", "=", kind)
      .where("subject", "=", name)
      .orderBy("at_ms", "desc")
      .orderBy("use_name")
      .execute();
    return rows.map(declarationOf);
  }

  /** What changed, newest first; 100 by default, at most 1000. */
  async history(subject: Subject, limit?: number): Promise<IdentityEvent[]> {
    return await readHistory(this.db, subject, limit);
  }
}

/** An account's declared use is one of its facts; an organisation has none such. */
async function factActs(
  transaction: Transaction<Tables>,
  { kind, name }: Subject,
  use: string | null,
  now: number,
): Promise<Awaited<ReturnType<typeof setDeclaredUse>>> {
  return kind === "account" ? await setDeclaredUse(transaction, name, use, now) : [];
}

async function demandSubject(transaction: Transaction<Tables>, { kind, name }: Subject): Promise<void> {
  const row =
    kind === "account"
      ? await transaction
          .selectFrom("accounts")
          .select("account")
          .where("account", "=", name)
          .executeTakeFirst()
      : await transaction
          .selectFrom("organizations")
          .select("organization")
          .where("organization", "=", name)
          .executeTakeFirst();
  if (row !== undefined) return;
  if (kind === "organization") throw unknownOrganization(name);
  throw new StateError("account-unknown", `expected a known account, got ${JSON.stringify(name)}`);
}

function nameOf({ kind, name }: Subject): { subjectKind: SubjectKind; subject: string } {
  return { subjectKind: kind, subject: name };
}

/** Under whose key the act's detail is encrypted. */
function accountOf({ kind, name }: Subject): string | null {
  return kind === "account" ? name : null;
}

function verificationOf(row: Selectable<VerificationsTable>): Verification {
  return {
    kind: z.enum(VERIFICATION_KINDS).parse(row.kind),
    status: z.enum(VERIFICATION_STATUSES).parse(row.status),
    reference: row.reference,
    atMs: Number(row.at_ms),
    expiresMs: row.expires_ms === null ? null : Number(row.expires_ms),
    by: row.actor,
  };
}

function declarationOf(row: Selectable<DeclaredUsesTable>): Declaration {
  return {
    use: z.enum(DECLARED_USES).parse(row.use_name),
    statement: row.statement,
    reference: row.reference,
    atMs: Number(row.at_ms),
    untilMs: row.until_ms === null ? null : Number(row.until_ms),
    withdrawnMs: row.withdrawn_ms === null ? null : Number(row.withdrawn_ms),
    by: row.actor,
  };
}
