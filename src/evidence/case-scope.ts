// What a case is about: the accounts and single exchanges that its chain of custody put into it.
import type { Finding } from "../core/finding.ts";
import type { CaseEntry } from "../state/cases.ts";

export interface CaseScope {
  readonly accounts: readonly string[];
  readonly exchanges: readonly string[];
}

/** A finding as it was when it was put into the case, with the opinion's method. Canonical JSON in the state. */
export interface FindingSnapshot {
  readonly finding: Finding;
  readonly opinion: Opinion;
}

/** What stands behind a detector's word: an opinion is only as good as this. */
export interface Opinion {
  readonly detector: string;
  readonly version: number | null;
  readonly maturity: string | null;
  /** SHA-256 of the detector's whole definition, its query and its parameters, hexadecimal. */
  readonly configuration: string | null;
  /** What would be true if nothing were wrong, and how that was fitted. */
  readonly calibration: string | null;
  readonly assumptions: readonly string[];
  readonly falsePositives: readonly string[];
  readonly knownGaps: readonly string[];
  readonly errorRate: string;
}

/** The snapshot of a stored body. The state wrote it; see `Cases.add`. */
export function readSnapshot(body: string): FindingSnapshot {
  return JSON.parse(body) as FindingSnapshot;
}

/** Accounts and exchanges, each once, in the order of their names. */
export function scopeOf(entries: readonly CaseEntry[], snapshots: readonly FindingSnapshot[]): CaseScope {
  const accounts = new Set(snapshots.flatMap(({ finding }) => finding.accounts));
  const exchanges = new Set<string>();
  for (const { what, on } of entries) {
    if (what === "account-added") accounts.add(on);
    if (what === "exchange-added") exchanges.add(on);
  }
  return { accounts: [...accounts].sort(), exchanges: [...exchanges].sort() };
}
