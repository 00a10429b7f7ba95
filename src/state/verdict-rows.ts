// What a verdict is to the rest of Adyton, and how its rows are read.
import { randomBytes } from "node:crypto";
import { type Selectable, sql, type Transaction } from "kysely";
import { z } from "zod";
import { timeId } from "../core/ids.ts";
import {
  MEASURES,
  type Measure,
  REASON_CODES,
  type ReasonCode,
  VERDICT_STATUSES,
  type VerdictStatus,
} from "../core/measure.ts";
import type { RandomBytes } from "./part.ts";
import type { VerdictAccountsTable, VerdictsTable } from "./response-tables.ts";
import type { Tables } from "./schema.ts";

/** A weaker measure that holds while a proposal waits for its approver. */
export interface Interim {
  readonly measure: Measure;
  readonly fromMs: number;
  /** It ends then, decided or not. */
  readonly untilMs: number;
}

/** The decision about an account or a campaign, as a whole. */
export interface Verdict {
  readonly id: string;
  /** What it rests on; null: a person's own decision. */
  readonly finding: string | null;
  readonly detector: string | null;
  /** Rule and hash of the policy that chose the measure. */
  readonly rule: string | null;
  readonly policy: string | null;
  readonly measure: Measure;
  readonly reason: ReasonCode;
  readonly status: VerdictStatus;
  /** Computed and shown, never enforced. */
  readonly shadow: boolean;
  readonly lifeMs: number;
  /** How many accounts may join without a further decision, and how many did. */
  readonly inheritLimit: number;
  readonly inherited: number;
  readonly accounts: number;
  readonly proposedMs: number;
  readonly effectiveMs: number | null;
  readonly expiresMs: number | null;
  readonly endedMs: number | null;
  /** What holds until it is decided; null: nothing. */
  readonly interim: Interim | null;
}

/** An account that a verdict names. */
export interface VerdictMember {
  readonly account: string;
  /** The customer's handle: appeals go by it. */
  readonly reference: string;
  readonly joinedMs: number;
  readonly inherited: boolean;
  readonly releasedMs: number | null;
}

export interface VerdictEvent {
  readonly atMs: number;
  readonly by: string;
  readonly step: string;
  readonly note: string;
}

/** 128 bits and more: a reference can't be guessed, and says nothing. */
const REFERENCE_BYTES = 20;
const ID_BYTES = 10;
const REFERENCE_FORM = /^ap_[0-9a-z]{32}$/;

export function newId(prefix: string, nowMs: number, random: RandomBytes = randomBytes): string {
  return timeId(prefix, nowMs, random(ID_BYTES));
}

/** Unlike an id it holds no time: when an account was named is nobody's business. */
export function newReference(random: RandomBytes = randomBytes): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  let number = BigInt(`0x${Buffer.from(random(REFERENCE_BYTES)).toString("hex")}`);
  let text = "";
  for (let index = 0; index < 32; index++) {
    text += alphabet.charAt(Number(number & 31n));
    number >>= 5n;
  }
  return `ap_${text}`;
}

/** Whether a text has the form of a reference; what has not needs no look into the database. */
export function isReference(text: string): boolean {
  return REFERENCE_FORM.test(text);
}

const measure: z.ZodType<Measure> = z.enum(MEASURES);
const reason: z.ZodType<ReasonCode> = z.enum(REASON_CODES);
const status: z.ZodType<VerdictStatus> = z.enum(VERDICT_STATUSES);

export function verdictOf(row: Selectable<VerdictsTable>): Verdict {
  return {
    id: row.id,
    finding: row.finding,
    detector: row.detector,
    rule: row.rule,
    policy: row.policy,
    measure: measure.parse(row.measure),
    reason: reason.parse(row.reason),
    status: status.parse(row.status),
    shadow: Number(row.shadow) === 1,
    lifeMs: Number(row.life_ms),
    inheritLimit: Number(row.inherit_limit),
    inherited: Number(row.inherited_count),
    accounts: Number(row.account_count),
    proposedMs: Number(row.proposed_ms),
    effectiveMs: numberOrNull(row.effective_ms),
    expiresMs: numberOrNull(row.expires_ms),
    endedMs: numberOrNull(row.ended_ms),
    interim: interimOf(row),
  };
}

function interimOf(row: Selectable<VerdictsTable>): Interim | null {
  const { interim_measure, interim_from_ms, interim_until_ms } = row;
  if (interim_measure === null) return null;
  return {
    measure: measure.parse(interim_measure),
    fromMs: Number(interim_from_ms),
    untilMs: Number(interim_until_ms),
  };
}

/** A stretch of time in which a verdict means this measure for whom it names. */
export interface Hold {
  readonly measure: Measure;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * What the verdict means, and when, if nobody decides otherwise: first what holds until it is decided, then its own
 * measure. One that was approved keeps the first until the second begins.
 */
export function holdsOf({ interim, effectiveMs, expiresMs, measure: own }: Verdict): Hold[] {
  const hasOwn = effectiveMs !== null && expiresMs !== null;
  const before = interim === null ? [] : [hasOwn ? { ...interim, untilMs: effectiveMs } : interim];
  return hasOwn ? [...before, { measure: own, fromMs: effectiveMs, untilMs: expiresMs }] : before;
}

export function memberOf(row: Selectable<VerdictAccountsTable>): VerdictMember {
  return {
    account: row.account,
    reference: row.reference,
    joinedMs: Number(row.joined_ms),
    inherited: Number(row.inherited) === 1,
    releasedMs: numberOrNull(row.released_ms),
  };
}

export function numberOrNull(value: number | null): number | null {
  return value === null ? null : Number(value);
}

export async function addStep(
  transaction: Transaction<Tables>,
  verdict: string,
  { atMs, by, step, note }: VerdictEvent,
): Promise<void> {
  const { last } = await transaction
    .selectFrom("verdict_history")
    .where("verdict", "=", verdict)
    .select(sql<number>`coalesce(max(number), 0)`.as("last"))
    .executeTakeFirstOrThrow();
  const number = Number(last) + 1;
  await transaction
    .insertInto("verdict_history")
    .values({ verdict, number, at_ms: atMs, actor: by, step, note })
    .execute();
}
