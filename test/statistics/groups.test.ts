// Groups of alike points, and whether their members began together: known values, nulls by simulation, determinism.
import assert from "node:assert/strict";
import { test } from "node:test";
import { leaderClusters } from "../../src/core/statistics/leader-clusters.ts";
import {
  logHypergeometricTail,
  type SharedStart,
  sharedStart,
} from "../../src/core/statistics/shared-start.ts";
import { generator, normal } from "./generator.ts";

const HOUR_MS = 3_600_000;

function scan(members: readonly number[], others: readonly number[], hours: readonly number[]): SharedStart {
  return sharedStart(
    members,
    [...members, ...others].sort((a, b) => a - b),
    hours,
  );
}

test("the hypergeometric tail has its known values", () => {
  // One draw of two from four, two marked: P(X >= 1) = 5/6, P(X >= 2) = 1/6.
  const tail = (hits: number): number =>
    Math.exp(logHypergeometricTail({ drawn: 2, hits, marked: 2, all: 4 }));
  assert.ok(Math.abs(tail(1) - 5 / 6) < 1e-12);
  assert.ok(Math.abs(tail(2) - 1 / 6) < 1e-12);
  assert.equal(tail(0), 1);
  assert.equal(logHypergeometricTail({ drawn: 3, hits: 1, marked: 4, all: 4 }), 0);
});

test("a common beginning is found with its members, and what everybody shares proves nothing", () => {
  const others = Array.from({ length: 60 }, (_, i) => i * HOUR_MS);
  const together = Array.from({ length: 6 }, (_, i) => 200 * HOUR_MS + i * 60_000);
  const found = scan([...together, 3 * HOUR_MS], others, [2, 12]);
  assert.ok(found.pValue < 1e-5, String(found.pValue));
  assert.deepEqual(found.members, [0, 1, 2, 3, 4, 5]);
  const rush = [...others, ...Array.from({ length: 200 }, (_, i) => 200 * HOUR_MS + i * 30_000)];
  assert.ok(scan(together, rush, [2, 12]).pValue > 0.05);
  assert.equal(scan(together, [], [2]).pValue, 1, "without others nothing is known");
  assert.equal(scan(together.slice(0, 2), others, [2]).pValue, 1);
});

test("p-values of independent beginnings are at most uniform, in bursts as well", () => {
  const random = generator(20_261_122);
  const RUNS = 2_000;
  const below = { "0.05": 0, "0.01": 0, "0.001": 0 };
  for (let run = 0; run < RUNS; run += 1) {
    // Beginnings of everybody come in rushes: the null is exchangeability, not evenness in time.
    const rushes = Array.from({ length: 4 }, () => random() * 300);
    const begin = (): number => {
      const rush = rushes[Math.floor(random() * 8)];
      return HOUR_MS * (rush === undefined ? random() * 300 : rush + normal(random));
    };
    const members = Array.from({ length: 4 + Math.floor(random() * 12) }, begin);
    const others = Array.from({ length: 30 + Math.floor(random() * 60) }, begin);
    const { pValue } = scan(members, others, [2, 12, 48]);
    for (const level of Object.keys(below) as (keyof typeof below)[]) {
      if (pValue <= Number(level)) below[level] += 1;
    }
  }
  // Three binomial standard deviations above the level.
  for (const [level, count] of Object.entries(below)) {
    const expected = Number(level) * RUNS;
    assert.ok(count <= expected + 3 * Math.sqrt(expected), `${count} of ${RUNS} below ${level}`);
  }
});

test("points of one source are grouped together, the same in every run, and noise is taken off", async () => {
  const random = generator(7);
  const around = (
    centre: readonly number[],
    spread: number,
    noise: number,
  ): { vector: number[]; noise: number } => ({
    vector: centre.map((value) => value + spread * normal(random)),
    noise,
  });
  const points = [
    ...Array.from({ length: 8 }, () => around([0, 0, 0, 0], 0.3, 0.36)),
    ...Array.from({ length: 5 }, () => around([4, 0, 0, 0], 0.3, 0.36)),
    around([0, 9, 9, 0], 0, 0),
  ];
  const options = { radius: 1.5, passes: 3 };
  const groups = await leaderClusters(points, options);
  assert.deepEqual(
    groups.map((group) => group.join(" ")),
    ["0 1 2 3 4 5 6 7", "8 9 10 11 12", "13"],
  );
  assert.deepEqual(await leaderClusters(points, options), groups);
  assert.deepEqual(await leaderClusters([], options), []);
});
