// The take of a finding: what was asked like a list is the lower bound, everything served the upper.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CASE_START_MS, rowsOfCase } from "../../src/detect/case-rows.ts";
import { takeOf } from "../../src/detect/take.ts";
import { Store } from "../../src/store/store.ts";

const HOUR_MS = 3_600_000;
const traffic = {
  uneven: false,
  fromHour: 0,
  everyMinutes: 60,
  pace: "steady",
  topic: "common",
  answerTokens: 50,
  lengths: 1,
  answerRun: 1,
  bias: { kind: "none", tokens: 1 },
  logprobs: null,
  samples: 1,
  temperature: null,
  open: "nothing",
  asks: "nothing",
  words: 0,
  versions: 1,
  edits: "star",
  numbers: "none",
  endpoint: "/v1/chat/completions",
  payment: "",
  wording: "",
  system: "",
} as const;

test("counts lists from below and everything from above, and nothing later or of others", async () => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-take-"));
  const store = await Store.open({ folder });
  try {
    const rows = rowsOfCase({
      name: "",
      about: "",
      lookAtHour: 0,
      expect: [],
      traffic: [
        { ...traffic, accounts: "taker", count: 2, exchanges: 10, inputs: "new" },
        { ...traffic, accounts: "taker", count: 2, exchanges: 6, inputs: 3 },
        { ...traffic, accounts: "other", count: 1, exchanges: 9, inputs: "new" },
      ],
    });
    for (const [table, list] of Object.entries(rows)) await store.insert(table, list);
    const accounts = ["taker-1", "taker-2"];
    const take = await takeOf(store, accounts, CASE_START_MS + 100 * HOUR_MS);
    assert.ok(take);
    assert.equal(take.atMost.exchanges, 32);
    assert.equal(take.atMost.tokens, 32 * 50);
    assert.equal(take.atLeast.exchanges, 20);
    assert.equal(take.exemplars.length, 5);
    assert.ok(take.sinceMs >= CASE_START_MS && take.untilMs < CASE_START_MS + 10 * HOUR_MS);
    const early = await takeOf(store, accounts, CASE_START_MS + 2 * HOUR_MS);
    assert.ok(early !== null && early.atMost.exchanges < 10);
    assert.equal(await takeOf(store, ["nobody"], CASE_START_MS + 100 * HOUR_MS), null);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
