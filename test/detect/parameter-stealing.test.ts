// The meter of parameter stealing: what it alarms at, and how much of a model's layer is known by then.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BiasUse,
  judgeSweeps,
  type SweepParameters,
} from "../../src/detect/judges/parameter-stealing.ts";

const limitsOf = (hiddenSize: number): SweepParameters => ({
  minSets: 24,
  minTokens: 64,
  minNewShare: 0.5,
  minValues: 64,
  minSpreadSets: 48,
  minSetsAPrefix: 3,
  minRank: 64,
  hiddenSizeOf: () => hiddenSize,
});

function use(account: string, prefix: string, change: Partial<BiasUse> = {}): BiasUse {
  return {
    prefix,
    model: "m",
    sets: 40,
    tokens: 160,
    biased: 160,
    top: 5,
    listed: 160,
    compared: 0,
    account,
    queries: 20,
    ownSets: 20,
    sinceMs: 0,
    exemplars: ["x1"],
    users: 5,
    ...change,
  };
}

test("sweeps of the same accounts over several prefixes are one; who only passed by is not part of it", () => {
  const rows = [
    use("a", "p1"),
    use("b", "p1"),
    use("b", "p2"),
    use("c", "p3"),
    use("bystander", "p1", { ownSets: 1, queries: 1 }),
    use("tuner", "p4", { sets: 40, tokens: 64, biased: 4_000, listed: 4_000 }),
  ];
  const sweeps = judgeSweeps(rows, limitsOf(1024));
  assert.deepEqual(
    sweeps.map((sweep) => [sweep.accounts, sweep.prefixes, sweep.clean]),
    [
      [["a", "b"], ["p1", "p2"], 2],
      [["c"], ["p3"], 2],
    ],
  );
  assert.equal(sweeps[0]?.rank, 2);
  assert.ok(Math.abs((sweeps[0]?.progress ?? 0) - 160 / 1024) < 1e-12);
});

/** Prefixes after `queries` requests of an attack that reads `step` scores a request, round robin over `prefixes`. */
function attack(queries: number, prefixes: number, step: number): BiasUse[] {
  return Array.from({ length: Math.min(queries, prefixes) }, (_, at) => {
    const sets = Math.floor((queries - at - 1) / prefixes) + 1;
    const tokens = sets * step;
    return use("a", `p${at}`, {
      ...{ sets, tokens, biased: tokens, listed: tokens, queries: sets, ownSets: sets },
    });
  });
}

test("the alarm comes before half of the hidden dimension is known, however the attack is spread", () => {
  for (const hidden of [256, 1024, 4096]) {
    for (const prefixes of [1, 3, 20, hidden + 1]) {
      for (const step of [1, 4, 19]) {
        let queries = 8;
        while (judgeSweeps(attack(queries, prefixes, step), limitsOf(hidden)).length === 0)
          queries += Math.ceil(queries / 16);
        const [sweep] = judgeSweeps(attack(queries, prefixes, step), limitsOf(hidden));
        const said = `h ${hidden}, ${prefixes} prefixes, ${step} scores: ${sweep?.rank} at ${queries} requests`;
        assert.ok((sweep?.rank ?? hidden) < hidden / 2, said);
        // In answers that list as many scores as this, 24 biases are enough for a small model's hidden state.
        if (hidden >= 1024) assert.ok((sweep?.progress ?? 1) < 0.5, said);
      }
    }
  }
});

test("the rank is that of the scores that are known in common: r prompts with r scores", () => {
  const [sweep] = judgeSweeps(attack(100 * 60, 100, 2), limitsOf(4096));
  assert.equal(sweep?.rank, 100);
  assert.equal(sweep?.scores, 12_000);
  const [wide] = judgeSweeps(attack(30 * 60, 60, 4), limitsOf(4096));
  assert.equal(wide?.rank, 60);
  const [narrow] = judgeSweeps(attack(4 * 600, 600, 5), limitsOf(4096));
  assert.equal(narrow?.rank, 20);
});

test("short lists over any number of prompts bound the rank by their length: nothing is claimed", () => {
  const rows = Array.from({ length: 5_000 }, (_, at) =>
    use("evaluator", `p${at}`, { sets: 0, tokens: 0, biased: 0, listed: 0, top: 20, ownSets: 1, queries: 1 }),
  );
  assert.deepEqual(judgeSweeps(rows, limitsOf(1024)), []);
});

test("models are counted apart", () => {
  const rows = attack(48, 2, 4).map((row, at) => ({ ...row, model: `m${at}` }));
  assert.deepEqual(
    judgeSweeps(rows, limitsOf(1024)).map(({ model }) => model),
    ["m0", "m1"],
  );
});
