// Probes and their honest look-alikes in a made-up world: every prober is found, nobody else is accused, at any look.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadDetectors } from "../../src/detect/catalog.ts";
import { DEFAULT_LEVEL } from "../../src/detect/hunt.ts";
import { runDetector } from "../../src/detect/run-detector.ts";
import type { Store } from "../../src/store/store.ts";
import { inMadeWorld, skipWorlds } from "../helpers/made-world.ts";

/** Not a seed that thresholds were chosen on, but for `numeric`, whose second path came from it. */
const SEED = 7;
const DAY_MS = 86_400_000;
const LOOK_DAYS = [1, 2, 3, 4, 5, 6];

test("every prober is found and no look-alike is accused", { skip: skipWorlds }, async () => {
  await inMadeWorld({ config: "probing.json", seed: SEED }, async (store, truth) => {
    const accused = await accusedIn(store, Date.parse(truth.world.start));
    const honest = [...accused].filter((account) => truth.accounts[account]?.fleet === undefined);
    assert.deepEqual(honest, []);
    const missed = Object.entries(truth.fleets).filter(
      ([, { accounts }]) => !accounts.some((account) => accused.has(account)),
    );
    assert.deepEqual(
      missed.map(([name]) => name),
      [],
    );
  });
});

/** Accounts in the findings of any probe detector at any look. */
async function accusedIn(store: Store, startMs: number): Promise<Set<string>> {
  const accused = new Set<string>();
  for (const detector of await loadDetectors()) {
    if (detector.kind !== "probe") continue;
    for (const day of LOOK_DAYS) {
      const patient = { ...detector, timeoutMs: 600_000 };
      const look = { nowMs: startMs + day * DAY_MS, level: DEFAULT_LEVEL };
      for (const { accounts } of await runDetector(store, patient, look)) {
        for (const account of accounts) accused.add(account);
      }
    }
  }
  return accused;
}
