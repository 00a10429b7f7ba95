// Between two runs of its detector a campaign keeps its accounts and takes in who begins with its wordings.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Assertion } from "../../src/detect/assertion.ts";
import { CASE_START_MS, rowsOfCase } from "../../src/detect/case-rows.ts";
import { loadCases } from "../../src/detect/cases.ts";
import { Watch } from "../../src/detect/hunt.ts";
import { runDetector } from "../../src/detect/run-detector.ts";
import { StandingClaims } from "../../src/detect/standing-claims.ts";
import { Store } from "../../src/store/store.ts";
import { CLAIMED_MS, detectorNamed, JOINED_MS } from "../helpers/campaign-with-joiners.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function claim(accounts: readonly string[], more: Partial<Assertion> = {}): Assertion {
  return {
    kind: "campaign",
    detector: "alike-accounts",
    technique: "AML.T0024",
    accounts,
    pValue: 1e-4,
    eValue: null,
    errorRate: "for tests",
    summary: "for tests",
    contributions: [],
    anchor: accounts[0] ?? "",
    ...more,
  };
}

test("accounts that begin with a claimed wording join at the next look, long before the detector runs again", async () => {
  const detector = await detectorNamed("shared-wording", { everyHours: 100 });
  const dealt = (await loadCases(detector)).find(({ name }) => name === "hit-dealt-list");
  const list = dealt?.traffic.find(({ accounts }) => accounts === "dealt");
  assert.ok(dealt && list);
  const late = { ...list, count: 1, fromHour: 50 };
  const traffic = [
    ...dealt.traffic,
    { ...late, accounts: "joiner", count: 2 },
    { ...late, accounts: "passer", exchanges: 1 },
    { ...late, accounts: "product", exchanges: 2, inputs: 1, topic: "tickets" },
    // From here on the wording is everybody's.
    { ...late, accounts: "newcomer", fromHour: 62, exchanges: 3 },
    { ...late, accounts: "bot", fromHour: 61, exchanges: 8, count: 4, inputs: 2, topic: "tickets" },
  ];
  const folder = await mkdtemp(join(tmpdir(), "adyton-joiners-"));
  const store = await Store.open({ folder });
  try {
    for (const [table, rows] of Object.entries(rowsOfCase({ ...dealt, traffic })))
      await store.insert(table, rows);
    const watch = new Watch({ store, detectors: [detector] });
    const [found] = (await watch.look(CLAIMED_MS)).findings;
    assert.equal(found?.accounts.length, 12);
    const [grown, ...others] = (await watch.look(JOINED_MS)).findings;
    assert.deepEqual(others, []);
    assert.equal(grown?.id, found.id);
    const joined = grown.accounts.filter((account) => !found.accounts.includes(account));
    assert.deepEqual(joined, ["joiner-1", "joiner-2"]);
    assert.equal(grown.contributions.at(-1)?.name, "joined since");
    const [last] = (await watch.look(CASE_START_MS + 72 * HOUR_MS)).findings;
    assert.deepEqual(last?.accounts, grown.accounts);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("a run takes in who became a user of a claimed wording long ago, where a look in between asks for a day", async () => {
  const detector = await detectorNamed("shared-wording");
  const dealt = (await loadCases(detector)).find(({ name }) => name === "hit-dealt-list");
  const list = dealt?.traffic.find(({ accounts }) => accounts === "dealt");
  assert.ok(dealt && list);
  const slow = { ...list, accounts: "slow", count: 1, fromHour: 50, exchanges: 2, everyMinutes: 40 * 60 };
  const folder = await mkdtemp(join(tmpdir(), "adyton-slow-joiner-"));
  const store = await Store.open({ folder });
  try {
    for (const [table, rows] of Object.entries(rowsOfCase({ ...dealt, traffic: [...dealt.traffic, slow] })))
      await store.insert(table, rows);
    const assertions = await runDetector(store, detector, { nowMs: CLAIMED_MS, level: 0.01 });
    const claims = new StandingClaims();
    claims.renew(detector, assertions, CLAIMED_MS);
    const options = { nowMs: CASE_START_MS + 91 * HOUR_MS, level: 0.01 };
    const hasSlow = (): boolean => claims.assertions().some(({ accounts }) => accounts.includes("slow-1"));
    await claims.follow(store, detector, options);
    assert.equal(hasSlow(), false);
    await claims.follow(store, detector, { ...options, joinHours: 30 * 24 });
    assert.equal(hasSlow(), true);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("a claim that is not repeated stands while its detector looks back so far; what is repeated replaces it", async () => {
  const detector = await detectorNamed("alike-accounts");
  const claims = new StandingClaims();
  claims.renew(detector, [claim(["a", "b", "c", "d"]), claim(["x", "y", "z", "w"])], 0);
  claims.renew(detector, [claim(["b", "c", "d", "e"])], DAY_MS);
  assert.deepEqual(
    claims.assertions().map(({ accounts }) => accounts.join("")),
    ["xyzw", "bcde"],
  );
  claims.renew(detector, [], 30 * DAY_MS);
  assert.deepEqual(
    claims.assertions().map(({ accounts }) => accounts.join("")),
    ["bcde"],
  );
  claims.renew(await detectorNamed("shared-wording"), [], 100 * DAY_MS);
  assert.equal(claims.assertions().length, 1, "another detector's run says nothing about it");
});

test("a weaker claim only adds to one that holds most of its accounts", async () => {
  const detector = await detectorNamed("alike-accounts");
  const claims = new StandingClaims();
  const weak = claim(["c", "d", "e", "f"], { onlyGrows: true, pValue: 0.04 });
  const stranger = claim(["d", "g", "h", "i"], { onlyGrows: true, pValue: 0.04 });
  claims.renew(detector, [weak, stranger], 0);
  assert.deepEqual(claims.assertions(), []);
  claims.renew(detector, [claim(["a", "b", "c", "d"]), weak, stranger], DAY_MS);
  assert.deepEqual(
    claims.assertions().map(({ accounts }) => accounts.join("")),
    ["abcd", "cdef"],
  );
});
