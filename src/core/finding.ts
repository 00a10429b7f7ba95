// The noun of detection: what a detector asserts, with its error rate.

/** `account`: one account; `campaign`: accounts acting as one; `probe`: single acts that give themselves away. */
export type FindingKind = "account" | "campaign" | "probe";

/** One reason among those that made the finding, in the detector's own words. */
export interface Contribution {
  readonly name: string;
  readonly value: string;
}

export interface Finding {
  /** Stays the same when the finding grows: the key under which it is updated. */
  readonly id: string;
  readonly kind: FindingKind;
  /** Id of the detector. */
  readonly detector: string;
  /** At least one. */
  readonly accounts: readonly string[];
  /** When it was raised, or its accounts last changed, on the clock that drove detection: milliseconds since the epoch. */
  readonly timeMs: number;
  /** When it was first raised, on that clock. Absent in findings of earlier builds. */
  readonly firstMs?: number;
  readonly pValue?: number | null;
  readonly eValue?: number | null;
  /** What the error rate is, over what, and under which assumptions. */
  readonly errorRate: string;
  /** MITRE ATLAS technique, such as AML.T0024.002. */
  readonly technique: string | null;
  readonly summary: string;
  readonly contributions: readonly Contribution[];
}
