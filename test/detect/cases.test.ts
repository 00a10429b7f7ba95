// Every detector's cases, run on the real engine: hits are found, misses and near-boundary cases come out as stated.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadCases } from "../../src/detect/cases.ts";
import { loadDetectors } from "../../src/detect/catalog.ts";
import { runCases } from "../../src/detect/run-cases.ts";
import { Store } from "../../src/store/store.ts";

const detectors = await loadDetectors();

describe("cases of detectors", () => {
  let folder = "";
  let store: Store | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "adyton-cases-"));
    store = await Store.open({ folder });
  });

  after(async () => {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const detector of detectors) {
    test(`${detector.id} says what its cases expect`, async () => {
      assert.ok(store);
      const results = await runCases(store, detector);
      assert.deepEqual(
        results.filter((result) => !result.passed).map((result) => `${result.name}: ${result.difference}`),
        [],
      );
    });
  }
});

test("every detector has a hit, a miss and a case on each side of its boundary", async () => {
  for (const detector of detectors) {
    const cases = await loadCases(detector);
    for (const kind of ["hit-", "miss-", "near-"]) {
      assert.ok(
        cases.some((one) => one.name.startsWith(kind)),
        `expected ${detector.id} to have a case ${kind}*`,
      );
    }
    assert.ok(cases.filter((one) => one.name.startsWith("hit-")).every((one) => one.expect.length > 0));
    assert.ok(cases.filter((one) => one.name.startsWith("miss-")).every((one) => one.expect.length === 0));
  }
});
