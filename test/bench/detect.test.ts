// The benchmark of detection on a tiny world: it ends, gives a line for every promise, and goes on where it stood.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { figuresOf } from "../../bench/detect/figures.ts";
import { accusedByPopulation } from "../../bench/detect/honest.ts";
import { KeptResults } from "../../bench/detect/kept.ts";
import { escapeSeparators } from "../../bench/detect/naive.ts";
import { runWorld, type WorldResult } from "../../bench/detect/world-run.ts";
import { hasWorlds, madeWorlds } from "../../bench/detect/worlds.ts";

const START = "2026-03-02T00:00:00.000Z";

/** Two honest accounts, one of them with a line separator in what it asks, and a fleet of one. */
async function tinyWorld(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const exchanges = [];
  const labels = [];
  for (let i = 0; i < 60; i += 1) {
    const account = `acct_${i % 3}`;
    const id = `x-${i}`;
    const time = new Date(Date.parse(START) + i * 600_000).toISOString();
    exchanges.push({
      id,
      time,
      account,
      key: "k",
      client: {
        ip: "198.51.100.7",
        asn: 64_500,
        country: "DE",
        user_agent: "curl",
        ja4: "t",
        headers: ["host"],
      },
      endpoint: "/v1/chat/completions",
      request: {
        model: "m",
        messages: [{ role: "user", content: `Is ${i} prime?\u2028\u2029 "${i}" Say why.` }],
      },
      response: {
        status: 200,
        text: "Yes.",
        finish_reason: "stop",
        usage: { prompt_tokens: 9, completion_tokens: 2 },
      },
      latency_ms: 10,
    });
    const fleet = account === "acct_2" ? "fleet-1" : null;
    labels.push({ id, time, account, harvest: fleet !== null, fleet });
  }
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await writeFile(join(folder, "exchanges.jsonl.gz"), gzipSync(lines(exchanges)));
  await writeFile(join(folder, "truth-exchanges.jsonl.gz"), gzipSync(lines(labels)));
  const account = (at: number): object => ({
    account: `acct_${at}`,
    created: START,
    plan: "free",
    payment: `p${at}`,
  });
  await writeFile(join(folder, "accounts.jsonl"), lines([account(0), account(1), account(2)]));
  const flags = { noAttack: false, shuffleInfrastructure: false, shufflePrompts: false };
  const truth = {
    world: { name: "tiny", seed: "1", start: START, days: 1, flags },
    accounts: {
      acct_0: { population: "applications", group: "tool-1" },
      acct_1: { population: "individuals" },
      acct_2: { population: "fleet", fleet: "fleet-1", family: "reasoning" },
    },
    fleets: {
      "fleet-1": {
        id: "fleet-1",
        family: "reasoning",
        size: 1,
        accounts: ["acct_2"],
        mixing: 0,
        evasions: [],
      },
    },
  };
  await writeFile(join(folder, "truth.json"), JSON.stringify(truth));
  await writeFile(join(folder, "stats.json"), "{}");
}

test("a world whose prompts hold line separators is measured to its end, naive detectors included", async (t) => {
  if (!hasWorlds()) return t.skip("the worlds' tools are not beside the repository");
  const folder = await mkdtemp(join(tmpdir(), "adyton-bench-test-"));
  try {
    await tinyWorld(join(folder, "made", "tiny"));
    const [spec] = await madeWorlds(join(folder, "made"));
    assert.ok(spec !== undefined);
    assert.equal(spec.control, null);
    const result = await runWorld(spec, { folder, everyHours: 6, level: 0.01, baselines: true });
    assert.deepEqual(
      result.baselines.map((one) => one.name),
      ["volume", "template", "infrastructure"],
    );
    assert.deepEqual(result.failures, []);
    assert.equal(result.honest["users of a shared tool"]?.accounts, 1);
    assert.equal(result.honest["individuals"]?.accounts, 1);
    const figures = figuresOf([result]);
    for (const about of [
      "fleets of 10",
      "single accounts",
      "shared tool",
      "naive detector, volume",
      "realised",
    ])
      assert.ok(
        figures.some(({ name }) => name.includes(about)),
        `expected a line about ${about}`,
      );
    const kept = new KeptResults<WorldResult>(join(folder, "results"), "this code");
    await kept.write("tiny", result);
    assert.deepEqual(await kept.read("tiny"), JSON.parse(JSON.stringify(result)));
    assert.equal(await new KeptResults(join(folder, "results"), "other code").read("tiny"), null);
    assert.equal(await kept.read("another"), null);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("escaping separators changes the bytes of a line and not its meaning", async () => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-bench-test-"));
  try {
    const text = `${JSON.stringify({ text: "a\u2028b\u2029c ü 漢 \\u2028" })}\n`.repeat(5_000);
    await writeFile(join(folder, "from.gz"), gzipSync(text));
    await escapeSeparators(join(folder, "from.gz"), join(folder, "to.gz"));
    const after = gunzipSync(await readFile(join(folder, "to.gz"))).toString("utf8");
    assert.doesNotMatch(after, /[\u2028\u2029]/);
    const before = text.split("\n").filter((line) => line !== "");
    assert.deepEqual(
      after
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
      before.map((line) => JSON.parse(line)),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("only honest accounts are counted as accused, each once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-bench-test-"));
  try {
    await tinyWorld(folder);
    const accused = await accusedByPopulation(folder, [
      { accounts: ["acct_1", "acct_2"] },
      { accounts: ["acct_1"] },
    ]);
    assert.deepEqual(accused, {
      "users of a shared tool": { accounts: 1, flagged: 0 },
      individuals: { accounts: 1, flagged: 1 },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
