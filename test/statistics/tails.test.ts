// Tails read off the lower half, and intervals of shares: their nulls by simulation, and what contamination does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shareInterval } from "../../src/core/statistics/binomial-interval.ts";
import { mirroredTail, TAIL_SHARE, tailExcess } from "../../src/core/statistics/mirrored-tail.ts";
import { generator, normal } from "./generator.ts";

test("few honest values lie beyond the mirrored limit, and an excess of them is as rare as said", () => {
  const random = generator(20_261_123);
  const RUNS = 1_500;
  const COUNT = 120;
  let beyond = 0;
  const below = { "0.05": 0, "0.01": 0 };
  for (let run = 0; run < RUNS; run += 1) {
    const values = Array.from({ length: COUNT }, () => normal(random));
    const { limit } = mirroredTail(values);
    const hits = values.filter((value) => value > limit).length;
    beyond += hits;
    const pValue = tailExcess(hits, { of: COUNT, estimatedFrom: COUNT });
    if (pValue <= 0.05) below["0.05"] += 1;
    if (pValue <= 0.01) below["0.01"] += 1;
  }
  assert.ok(beyond / (RUNS * COUNT) < 1.2 * TAIL_SHARE, String(beyond / (RUNS * COUNT)));
  assert.ok(below["0.05"] / RUNS <= 0.05, String(below["0.05"] / RUNS));
  assert.ok(below["0.01"] / RUNS <= 0.01, String(below["0.01"] / RUNS));
});

test("strange values above can only raise the limit, and a fifth of them is still found", () => {
  const random = generator(5);
  const honest = Array.from({ length: 100 }, () => normal(random));
  const strange = Array.from({ length: 25 }, () => 5 + normal(random) / 2);
  const before = mirroredTail(honest).limit;
  const { limit } = mirroredTail([...honest, ...strange]);
  assert.ok(limit >= before);
  assert.ok(
    tailExcess(strange.filter((value) => value > limit).length, { of: 125, estimatedFrom: 125 }) < 0.01,
  );
  assert.equal(tailExcess(0, { of: 125, estimatedFrom: 125 }), 1);
});

test("the interval of a share has its known values and covers the truth", () => {
  assert.deepEqual(shareInterval(0, 0), { from: 0, to: 1 });
  const none = shareInterval(0, 100);
  assert.equal(none.from, 0);
  assert.ok(Math.abs(none.to - (1 - 0.025 ** 0.01)) < 1e-9);
  const half = shareInterval(5, 10);
  assert.ok(Math.abs(half.from - 0.187086) < 1e-5 && Math.abs(half.to - 0.812914) < 1e-5);
  assert.equal(shareInterval(10, 10).to, 1);
  const random = generator(11);
  let covered = 0;
  for (let run = 0; run < 400; run += 1) {
    let hits = 0;
    for (let trial = 0; trial < 40; trial += 1) if (random() < 0.1) hits += 1;
    const { from, to } = shareInterval(hits, 40);
    if (from <= 0.1 && to >= 0.1) covered += 1;
  }
  assert.ok(covered >= 0.93 * 400, `${covered} of 400`);
});
