// A store with a campaign that is seen by its wording, and whom more accounts join later; and a detector that never ends.
import assert from "node:assert/strict";
import { CASE_START_MS, rowsOfCase } from "../../src/detect/case-rows.ts";
import { loadCases } from "../../src/detect/cases.ts";
import { type Detector, loadDetectors } from "../../src/detect/catalog.ts";
import type { Store } from "../../src/store/store.ts";

const HOUR_MS = 3_600_000;
/** Twelve accounts are claimed by then. */
export const CLAIMED_MS: number = CASE_START_MS + 48 * HOUR_MS;
/** Two more, `joiner-1` and `joiner-2`, have begun with the wording by then. */
export const JOINED_MS: number = CASE_START_MS + 60 * HOUR_MS;
/** Runs for hours, unless it is ended. */
const ENDLESS = "SELECT toString(sum(cityHash64(number))) AS account FROM numbers(100000000000000)";

export async function detectorNamed(id: string, more: Partial<Detector> = {}): Promise<Detector> {
  const found = (await loadDetectors()).find((detector) => detector.id === id);
  assert.ok(found, id);
  return { ...found, ...more };
}

export async function endlessDetector(): Promise<Detector> {
  return detectorNamed("coverage", { id: "endless", sql: ENDLESS, timeoutMs: 600_000 });
}

export async function fillWithJoiners(store: Store): Promise<void> {
  const dealt = (await loadCases(await detectorNamed("shared-wording"))).find(
    ({ name }) => name === "hit-dealt-list",
  );
  const list = dealt?.traffic.find(({ accounts }) => accounts === "dealt");
  assert.ok(dealt && list);
  const joiners = { ...list, accounts: "joiner", count: 2, fromHour: 50 };
  const rows = rowsOfCase({ ...dealt, traffic: [...dealt.traffic, joiners] });
  for (const [table, each] of Object.entries(rows)) await store.insert(table, each);
}
