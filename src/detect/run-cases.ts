// Runs a detector's cases on the real engine: rows in, what it asserts out. Used by the test suite and the command.
import type { Store } from "../store/store.ts";
import { CASE_START_MS, rowsOfCase } from "./case-rows.ts";
import { type DetectorCase, loadCases } from "./cases.ts";
import type { Detector } from "./catalog.ts";
import { DEFAULT_LEVEL } from "./hunt.ts";
import { runDetector } from "./run-detector.ts";

export interface CaseResult {
  readonly detector: string;
  readonly name: string;
  readonly about: string;
  readonly passed: boolean;
  /** What was expected and what was found, in words; empty when passed. */
  readonly difference: string;
}

const HOUR_MS = 3_600_000;

/** Empties the store's feature tables before each case: give it a store of its own. */
export async function runCases(store: Store, detector: Detector): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const detectorCase of await loadCases(detector)) {
    results.push(await runCase(store, detector, detectorCase));
  }
  return results;
}

async function runCase(store: Store, detector: Detector, detectorCase: DetectorCase): Promise<CaseResult> {
  for (const [table, rows] of Object.entries(rowsOfCase(detectorCase))) {
    await store.execute("TRUNCATE TABLE {table:Identifier}", { table });
    await store.insert(table, rows);
  }
  const nowMs = CASE_START_MS + detectorCase.lookAtHour * HOUR_MS;
  const assertions = await runDetector(store, detector, { nowMs, level: DEFAULT_LEVEL });
  const found = assertions.map((assertion) => [...assertion.accounts].sort().join(" ")).sort();
  const wanted = detectorCase.expect.map((prefix) => membersOf(detectorCase, prefix)).sort();
  const passed = JSON.stringify(found) === JSON.stringify(wanted);
  const difference = passed ? "" : `expected ${describe(wanted)}, got ${describe(found)}`;
  return { detector: detector.id, name: detectorCase.name, about: detectorCase.about, passed, difference };
}

function membersOf(detectorCase: DetectorCase, prefix: string): string {
  const accounts = detectorCase.traffic
    .filter((part) => part.accounts.startsWith(prefix))
    .flatMap((part) => Array.from({ length: part.count }, (_, index) => `${part.accounts}-${index + 1}`));
  return [...new Set(accounts)].sort().join(" ");
}

function describe(findings: readonly string[]): string {
  return findings.length === 0 ? "no finding" : findings.map((accounts) => `[${accounts}]`).join(" and ");
}
