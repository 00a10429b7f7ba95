// Applies the policy to one finding: a pure function, so that what `adyton policy test` shows is what would happen.
import type { FindingStatus } from "../core/acts.ts";
import type { Finding } from "../core/finding.ts";
import type { Condition, Policy, Rule } from "./policy.ts";

/** What the named accounts were served: an upper bound of what was copied. */
export interface Take {
  readonly exchanges: number;
  readonly tokens: number;
}

/** A finding as the policy sees it. */
export interface Subject {
  readonly finding: Finding;
  readonly status: FindingStatus;
  /** Accounts without those that are exempt. */
  readonly accounts: readonly string[];
  /** Null where nobody measured it: rules that ask for a take don't hold then. */
  readonly take: Take | null;
}

/** The first rule that holds; null: none does, or the finding was dismissed, or it names nobody who may be named. */
export function ruleFor(policy: Policy, subject: Subject): Rule | null {
  if (subject.status === "dismissed" || subject.accounts.length === 0) return null;
  return policy.rules.find(({ when }) => holds(when, subject)) ?? null;
}

/** Whether any rule needs to know the take, which costs a query. */
export function asksForTake({ rules }: Policy): boolean {
  return rules.some(({ when }) => when.exchangesAtLeast !== null || when.tokensAtLeast !== null);
}

function holds(when: Condition, { finding, status, accounts, take }: Subject): boolean {
  if (when.kinds !== null && !when.kinds.includes(finding.kind)) return false;
  if (when.detectors !== null && !when.detectors.some((id) => isOf(finding.detector, id))) return false;
  if (when.pAtMost !== null && !(pOf(finding) <= when.pAtMost)) return false;
  if (accounts.length < (when.accountsAtLeast ?? 0)) return false;
  if (when.exchangesAtLeast !== null && (take?.exchanges ?? 0) < when.exchangesAtLeast) return false;
  if (when.tokensAtLeast !== null && (take?.tokens ?? 0) < when.tokensAtLeast) return false;
  return !when.confirmed || status === "confirmed";
}

function isOf(detector: string, id: string): boolean {
  return detector === id || detector.startsWith(`${id}/`);
}

/** The smaller of what both say would ignore that two looks were taken; a p-value wins where there is one. 1: nothing was said. */
function pOf({ pValue, eValue }: Finding): number {
  if (typeof pValue === "number") return pValue;
  return typeof eValue === "number" && eValue > 0 ? Math.min(1, 1 / eValue) : 1;
}
