// Alerts on their way out: kept until they were delivered or given up, so that neither a crash nor a dead receiver loses one.
import type { Selectable } from "kysely";
import { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { type Page, type PageQuery, pageOf } from "./paging.ts";
import { StatePart } from "./part.ts";
import type { AlertsTable } from "./response-tables.ts";
import { newId, numberOrNull } from "./verdict-rows.ts";

/** `dead`: given up after as many attempts as the settings allow. */
export type AlertStatus = "pending" | "delivered" | "dead";

export const ALERT_STATUSES: readonly [AlertStatus, AlertStatus, AlertStatus] = [
  "pending",
  "delivered",
  "dead",
];

export interface AlertDraft {
  /** What happened: `finding.raised`, `verdict.proposed`. */
  readonly event: string;
  /** What it happened to. The same event about the same subject goes to a target once. */
  readonly subject: string;
  /** JSON: names and figures, never content. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Alert {
  readonly id: string;
  readonly target: string;
  readonly event: string;
  readonly subject: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly status: AlertStatus;
  readonly attempts: number;
  readonly createdMs: number;
  readonly nextMs: number;
  readonly endedMs: number | null;
  /** Why the last attempt failed. */
  readonly error: string | null;
}

const MAX_ERROR = 500;
/** What was delivered is forgotten after this; what happened is in the log. */
const KEEP_DELIVERED_MS = 30 * 86_400_000;
const status: z.ZodType<AlertStatus> = z.enum(ALERT_STATUSES);
const body = z.record(z.string(), z.unknown());

export class Alerts extends StatePart {
  /** Puts the alert in line for each target that was not told yet. Returns how many are new. */
  async enqueue(targets: readonly string[], { event, subject, body: content }: AlertDraft): Promise<number> {
    let added = 0;
    const created_ms = this.now();
    for (const target of targets) {
      const row = { target, event, subject, body: canonicalJson(content), created_ms, next_ms: created_ms };
      const [result] = await this.db
        .insertInto("alerts")
        .values({
          ...row,
          ...{ id: newId("al", created_ms, this.random), status: "pending", attempts: 0 },
          ...{ ended_ms: null, error: null },
        })
        .onConflict((conflict) => conflict.columns(["target", "event", "subject"]).doNothing())
        .execute();
      added += Number(result?.numInsertedOrUpdatedRows ?? 0);
    }
    return added;
  }

  /** Those whose time has come, oldest first. */
  async due(limit: number): Promise<Alert[]> {
    const rows = await this.db
      .selectFrom("alerts")
      .selectAll()
      .where("status", "=", "pending")
      .where("next_ms", "<=", this.now())
      .orderBy("next_ms")
      .orderBy("id")
      .limit(limit)
      .execute();
    return rows.map(alertOf);
  }

  async delivered(id: string): Promise<void> {
    const ended_ms = this.now();
    await this.db
      .updateTable("alerts")
      .set((row) => ({ status: "delivered", ended_ms, error: null, attempts: row("attempts", "+", 1) }))
      .where("id", "=", id)
      .execute();
    await this.db
      .deleteFrom("alerts")
      .where("status", "=", "delivered")
      .where("ended_ms", "<", ended_ms - KEEP_DELIVERED_MS)
      .execute();
  }

  /** `nextMs` null: no further attempt. */
  async failed(id: string, { error, nextMs }: { error: string; nextMs: number | null }): Promise<void> {
    const end = nextMs === null ? { status: "dead", ended_ms: this.now() } : { next_ms: nextMs };
    await this.db
      .updateTable("alerts")
      .set((row) => ({ ...end, error: error.slice(0, MAX_ERROR), attempts: row("attempts", "+", 1) }))
      .where("id", "=", id)
      .execute();
  }

  /** Puts a dead alert in line again. @throws StateError `alert-unknown` */
  async retry(id: string, { record }: Recorded = {}): Promise<void> {
    const changes = { status: "pending", attempts: 0, next_ms: this.now(), ended_ms: null };
    await this.db.transaction().execute(async (transaction) => {
      const [result] = await transaction
        .updateTable("alerts")
        .set(changes)
        .where("id", "=", id)
        .where("status", "=", "dead")
        .execute();
      if (Number(result?.numUpdatedRows ?? 0) !== 1)
        throw new StateError("alert-unknown", `expected a dead alert, got ${JSON.stringify(id)}`);
      await record?.([{ act: "alert.retried", account: null, detail: { alert: id } }]);
    });
  }

  /** Newest first. */
  async list(query: PageQuery & { status?: AlertStatus | undefined } = {}): Promise<Page<Alert>> {
    const matching = this.db
      .selectFrom("alerts")
      .$if(query.status !== undefined, (all) => all.where("status", "=", query.status ?? ""));
    const ordered = matching.selectAll().orderBy("created_ms", "desc").orderBy("id", "desc");
    return await pageOf(matching, ordered, query, alertOf);
  }
}

function alertOf(row: Selectable<AlertsTable>): Alert {
  return {
    id: row.id,
    target: row.target,
    event: row.event,
    subject: row.subject,
    body: body.parse(JSON.parse(row.body)),
    status: status.parse(row.status),
    attempts: Number(row.attempts),
    createdMs: Number(row.created_ms),
    nextMs: Number(row.next_ms),
    endedMs: numberOrNull(row.ended_ms),
    error: row.error,
  };
}
