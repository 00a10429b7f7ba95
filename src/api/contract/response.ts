// Response: the policy in force, verdicts with whom they name, and what customers say against them.
import { z } from "zod";
import {
  APPEAL_STATUSES,
  type AppealStatus,
  MEASURES,
  type Measure,
  REASON_CODES,
  type ReasonCode,
  VERDICT_STATUSES,
  type VerdictStatus,
} from "../../core/measure.ts";
import {
  all,
  count,
  maybeText,
  maybeTime,
  optionalText,
  type Page,
  type Paging,
  pageOf,
  paging,
  time,
} from "./common.ts";

export type { AppealStatus, Measure, VerdictStatus };
export { APPEAL_STATUSES, MEASURES, VERDICT_STATUSES };

/** A verdict may name thousands; this many come with it. */
export const VERDICT_ACCOUNTS_MAX = 200;

const measure = z.enum(MEASURES);
const reason = z.enum(REASON_CODES);
const verdictStatus = z.enum(VERDICT_STATUSES);
const appealStatus = z.enum(APPEAL_STATUSES);
/** A decision without a reason is none. */
const note = z.string().trim().min(1).max(2_000);

export interface VerdictsQuery extends Paging {
  /** One status; `live`: all that may still change something. */
  status?: VerdictStatus | "live" | undefined;
  measure?: Measure | undefined;
  finding?: string | undefined;
  account?: string | undefined;
}
export const verdictsQuery: z.ZodType<VerdictsQuery> = z.object({
  status: z.enum([...VERDICT_STATUSES, "live"]).optional(),
  measure: measure.optional(),
  finding: optionalText,
  account: optionalText,
  ...paging,
});

export interface VerdictSummary {
  id: string;
  finding: string | null;
  detector: string | null;
  rule: string | null;
  measure: Measure;
  reason: ReasonCode;
  status: VerdictStatus;
  /** Computed and shown, never enforced. */
  shadow: boolean;
  accounts: number;
  proposedAt: string;
  effectiveAt: string | null;
  expiresAt: string | null;
  endedAt: string | null;
  /** What holds until it is decided; null: nothing. */
  untilDecided: { measure: Measure; from: string; until: string } | null;
}
const verdictFields = {
  ...all(maybeText, "finding", "detector", "rule"),
  ...all(maybeTime, "effectiveAt", "expiresAt", "endedAt"),
  id: z.string(),
  measure,
  reason,
  status: verdictStatus,
  shadow: z.boolean(),
  accounts: count,
  proposedAt: time,
  untilDecided: z.object({ measure, from: time, until: time }).nullable(),
};
const verdictSummary: z.ZodType<VerdictSummary> = z.object(verdictFields);
export const verdictPage: z.ZodType<Page<VerdictSummary>> = pageOf(verdictSummary);

export interface VerdictMember {
  account: string;
  /** What the customer knows the measure by. */
  reference: string;
  joinedAt: string;
  inherited: boolean;
  releasedAt: string | null;
}
export type VerdictEvent = { at: string; by: string; step: string; note: string };

export interface Appeal {
  id: string;
  verdict: string;
  account: string;
  /** The customer's own words. Attacker-controlled: to be shown as text and as nothing else. */
  statement: string;
  status: AppealStatus;
  filedAt: string;
  decidedAt: string | null;
  decidedBy: string | null;
  /** What the customer was told. */
  reason: string | null;
}
export const appeal: z.ZodType<Appeal> = z.object({
  ...all(z.string(), "id", "verdict", "account", "statement"),
  ...all(maybeText, "decidedBy", "reason"),
  status: appealStatus,
  filedAt: time,
  decidedAt: maybeTime,
});
export const appealPage: z.ZodType<Page<Appeal>> = pageOf(appeal);

export interface Verdict extends VerdictSummary {
  /** Hash of the policy that chose the measure. */
  policy: string | null;
  /** How many accounts joined later, and how many may. */
  inherited: number;
  inheritLimit: number;
  members: VerdictMember[];
  history: VerdictEvent[];
}
const member = z.object({
  ...all(z.string(), "account", "reference"),
  joinedAt: time,
  inherited: z.boolean(),
  releasedAt: maybeTime,
});
export const verdict: z.ZodType<Verdict> = z.object({
  ...verdictFields,
  ...all(count, "inherited", "inheritLimit"),
  policy: maybeText,
  members: z.array(member),
  history: z.array(z.object({ ...all(z.string(), "by", "step", "note"), at: time })),
});

export interface VerdictDecision {
  decision: "approve" | "reject" | "lift";
  note: string;
  /** Rejected or lifted because the detector was wrong: its record says so. */
  wrong: boolean;
}
export const verdictDecision: z.ZodType<VerdictDecision> = z.strictObject({
  decision: z.enum(["approve", "reject", "lift"]),
  note,
  wrong: z.boolean().default(false),
});

export const verdictRelease: z.ZodType<{ account: string; note: string }> = z.strictObject({
  account: z.string().min(1).max(512),
  note,
});

export type AppealsQuery = Paging & { status?: AppealStatus | undefined };
export const appealsQuery: z.ZodType<AppealsQuery> = z.object({ status: appealStatus.optional(), ...paging });

export interface AppealDecision {
  outcome: "granted" | "refused";
  /** The customer reads it. */
  reason: string;
  /** Granted for everybody the verdict names. */
  forAll: boolean;
}
export const appealDecision: z.ZodType<AppealDecision> = z.strictObject({
  outcome: z.enum(["granted", "refused"]),
  reason: note,
  forAll: z.boolean().default(false),
});

export interface PolicyInForce {
  mode: "shadow" | "enforce";
  hash: string;
  rules: { id: string; measure: Measure; reason: ReasonCode; approval: "approver" | "none"; days: number }[];
  /** How often people found each detector right or wrong. */
  detectors: { detector: string; upheld: number; wrong: number }[];
}
export const policyInForce: z.ZodType<PolicyInForce> = z.object({
  mode: z.enum(["shadow", "enforce"]),
  hash: z.string(),
  rules: z.array(
    z.object({ id: z.string(), measure, reason, approval: z.enum(["approver", "none"]), days: count }),
  ),
  detectors: z.array(z.object({ detector: z.string(), upheld: count, wrong: count })),
});
