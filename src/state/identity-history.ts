// What changed about an account or an organisation, when, and by whom: appended in the same transaction as the change.
import { type Kysely, sql, type Transaction } from "kysely";
import { canonicalJson } from "../core/canonical-json.ts";
import type { SubjectKind } from "../core/identity.ts";
import { rowLimit } from "./paging.ts";
import type { Tables } from "./schema.ts";

export interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
}

export interface IdentityEvent {
  readonly atMs: number;
  /** `user:<name>`, `token:<id>`, `cli:<system user>`, `import` or `system`. */
  readonly by: string;
  /** Name of the act, as the log has it. */
  readonly act: string;
  /** Canonical JSON of what is new; for facts, of the members that changed, each with `from` and `to`. */
  readonly detail: string;
}

export async function addHistory(
  transaction: Transaction<Tables>,
  { kind, name }: Subject,
  event: { readonly atMs: number; readonly by: string; readonly act: string; readonly detail: object },
): Promise<void> {
  const { last } = await transaction
    .selectFrom("identity_history")
    .where("subject_kind", "=", kind)
    .where("subject", "=", name)
    .select(sql<number>`coalesce(max(number), 0)`.as("last"))
    .executeTakeFirstOrThrow();
  await transaction
    .insertInto("identity_history")
    .values({
      subject_kind: kind,
      subject: name,
      number: Number(last) + 1,
      at_ms: event.atMs,
      actor: event.by,
      act: event.act,
      detail: canonicalJson(event.detail),
    })
    .execute();
}

/** Newest first. */
export async function readHistory(
  db: Kysely<Tables>,
  { kind, name }: Subject,
  limit?: number,
): Promise<IdentityEvent[]> {
  const rows = await db
    .selectFrom("identity_history")
    .selectAll()
    .where("subject_kind", "=", kind)
    .where("subject", "=", name)
    .orderBy("number", "desc")
    .limit(rowLimit(limit))
    .execute();
  return rows.map((row) => ({
    atMs: Number(row.at_ms),
    by: row.actor,
    act: row.act,
    detail: row.detail,
  }));
}

/** The members that differ, each with what it was and what it is; null when none does. */
export function changesBetween<T extends object>(
  before: T,
  after: T,
  keys: readonly (keyof T & string)[],
): object | null {
  const changed = keys.filter((key) => before[key] !== after[key]);
  if (changed.length === 0) return null;
  return Object.fromEntries(changed.map((key) => [key, { from: before[key], to: after[key] }]));
}
