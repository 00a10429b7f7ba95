// The ladder of measures and the reasons a customer is told: the vocabulary of response, shared by policy, state and gateway.

/**
 * From least to most. `observe` changes nothing for the customer; `reduce` takes away what only a copier needs;
 * `slow` lowers the pace; `verify` asks for a step that the operator defines; `quarantine` refuses. None of them ever
 * changes what the model says.
 */
export type Measure = "observe" | "reduce" | "slow" | "verify" | "quarantine";

export const MEASURES: readonly [Measure, Measure, Measure, Measure, Measure] = [
  "observe",
  "reduce",
  "slow",
  "verify",
  "quarantine",
];

/** How far up the ladder: 0 for `observe`. */
export function rankOf(measure: Measure): number {
  return MEASURES.indexOf(measure);
}

/**
 * Why, as coarse as it can be and still be honest. Many detectors map to one reason, so that an answer never tells
 * which signal fired, how many accounts are concerned, or how close a threshold was.
 */
export const REASONS = {
  "unusual-use": "The use of this account looks like that of a program that copies a model.",
  "verification-needed": "The operator needs to know more about who uses this account.",
  "terms-of-use": "The operator decided that this use is outside the terms of the service.",
} as const;

export type ReasonCode = keyof typeof REASONS;

export const REASON_CODES: readonly [ReasonCode, ...ReasonCode[]] = [
  "unusual-use",
  "verification-needed",
  "terms-of-use",
];

/**
 * Where a verdict stands. `proposed`: a person has to decide; `approved`: decided, its delay is running; `in-effect`:
 * enforced (unless it was made in shadow mode); the others are ends.
 */
export type VerdictStatus = "proposed" | "approved" | "in-effect" | "rejected" | "lifted" | "expired";

export const VERDICT_STATUSES: readonly [VerdictStatus, ...VerdictStatus[]] = [
  "proposed",
  "approved",
  "in-effect",
  "rejected",
  "lifted",
  "expired",
];

/** Whether a verdict may still change anything for anybody. */
export function isLive(status: VerdictStatus): boolean {
  return status === "proposed" || status === "approved" || status === "in-effect";
}

export type AppealStatus = "open" | "granted" | "refused";

export const APPEAL_STATUSES: readonly [AppealStatus, AppealStatus, AppealStatus] = [
  "open",
  "granted",
  "refused",
];
