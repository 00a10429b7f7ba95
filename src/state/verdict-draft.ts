// What a verdict begins as, checked, and the row that it becomes.
import type { Selectable } from "kysely";
import { z } from "zod";
import type { Measure, ReasonCode } from "../core/measure.ts";
import { parse } from "./facts.ts";
import type { VerdictsTable } from "./response-tables.ts";
import type { Interim } from "./verdict-rows.ts";

export interface VerdictDraft {
  readonly finding?: string | null;
  readonly detector?: string | null;
  readonly rule?: string | null;
  readonly policy?: string | null;
  readonly measure: Measure;
  readonly reason: ReasonCode;
  readonly shadow: boolean;
  readonly lifeMs: number;
  readonly inheritLimit: number;
  readonly accounts: readonly string[];
  readonly by: string;
  readonly note?: string;
  /** What holds until an approver decides. */
  readonly interim?: Interim | null;
}

const accounts = z.array(z.string().min(1).max(512)).min(1).max(1_000_000);
const life = z
  .number()
  .int()
  .min(1)
  .max(10 * 365 * 86_400_000);

/** Whom it names, each once, sorted. @throws StateError `invalid-fact` */
export function namesOf(draft: VerdictDraft): string[] {
  return [...new Set(parse(accounts, draft.accounts, "accounts"))].sort();
}

/** @throws StateError `invalid-fact` */
export function rowOf(
  draft: VerdictDraft,
  made: { readonly id: string; readonly nowMs: number; readonly revision: number; readonly accounts: number },
): Selectable<VerdictsTable> {
  const { finding = null, detector = null, rule = null, policy = null, interim = null } = draft;
  const { measure, reason, shadow, lifeMs, inheritLimit } = draft;
  return {
    ...{ id: made.id, finding, detector, rule, policy, measure, reason, revision: made.revision },
    status: "proposed",
    shadow: shadow ? 1 : 0,
    life_ms: parse(life, lifeMs, "life"),
    inherit_limit: inheritLimit,
    account_count: made.accounts,
    inherited_count: 0,
    proposed_ms: made.nowMs,
    effective_ms: null,
    expires_ms: null,
    ended_ms: null,
    interim_measure: interim?.measure ?? null,
    interim_from_ms: interim?.fromMs ?? null,
    interim_until_ms: interim?.untilMs ?? null,
  };
}
