// What a judge's verdict becomes before it has an identity: the claim, its error rate, and its reasons in words.
import type { Contribution, FindingKind } from "../core/finding.ts";

export interface Assertion {
  readonly kind: FindingKind;
  readonly detector: string;
  readonly technique: string;
  readonly accounts: readonly string[];
  readonly pValue: number | null;
  readonly eValue: number | null;
  readonly errorRate: string;
  readonly summary: string;
  readonly contributions: readonly Contribution[];
  /** Keyed hashes of the wordings by which a campaign's further accounts are told between two runs of its detector. */
  readonly wordings?: readonly string[];
  /** Too weak to accuse by itself: it may only add to a claim about mostly the same accounts. */
  readonly onlyGrows?: boolean;
  /** Names the thing found when it is found for the first time: the hash of its oldest trait. */
  readonly anchor: string;
}

/** Numbers as people read them: three significant digits, and powers of ten where they are shorter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "unknown";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(1);
  return Number(value.toPrecision(3)).toString();
}

export function share(value: number): string {
  return `${figure(100 * value)} %`;
}
