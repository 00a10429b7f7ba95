// Statistics of probes against known values and under their nulls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pradaDistances } from "../../src/core/statistics/prada.ts";
import { shapiroWilk } from "../../src/core/statistics/shapiro-wilk.ts";
import { normalQuantile, normalUpperTail } from "../../src/core/statistics/special.ts";
import { starRatio } from "../../src/core/statistics/star.ts";
import { generator, normal } from "./generator.ts";

function normals(count: number, random: () => number): number[] {
  return Array.from({ length: count }, () => normal(random));
}

test("normal quantiles undo the tail", () => {
  for (const share of [1e-6, 0.001, 0.02, 0.2, 0.5, 0.77, 0.99, 0.9999])
    assert.ok(Math.abs(1 - normalUpperTail(normalQuantile(share)) - share) < 1e-8, String(share));
});

test("W of samples whose W is known", () => {
  // Shapiro and Wilk 1965, weights of eleven men: 0.79. Then what R's shapiro.test says of 1..10 and 1..50.
  const known = [
    { values: [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236], w: 0.78881 },
    { values: Array.from({ length: 10 }, (_, i) => i + 1), w: 0.97016 },
    { values: Array.from({ length: 50 }, (_, i) => i + 1), w: 0.95558 },
  ];
  for (const { values, w } of known) assert.ok(Math.abs(shapiroWilk(values) - w) < 2e-5, String(w));
  for (const none of [[], [1, 2, 3], new Array<number>(20).fill(4)])
    assert.ok(Number.isNaN(shapiroWilk(none)));
});

test("W is near one for normal samples and low for two heaps", () => {
  const next = generator(7);
  for (let round = 0; round < 50; round += 1) assert.ok(shapiroWilk(normals(200, next)) > 0.96);
  const heaps = normals(200, next).map((value, i) => value + (i % 2) * 30);
  assert.ok(shapiroWilk(heaps) < 0.75);
});

test("the star ratio is one in any exchangeable order and falls as steps add up", () => {
  const next = generator(11);
  let [stars, walks] = [0, 0];
  for (let round = 0; round < 200; round += 1) {
    const star = Array.from({ length: 8 }, () => normals(16, next));
    stars += starRatio(star) / 200;
    const walk: number[][] = [];
    for (const step of star) walk.push(step.map((value, axis) => value + (walk.at(-1)?.[axis] ?? 0)));
    walks += starRatio(walk) / 200;
  }
  assert.ok(Math.abs(stars - 1) < 0.03, `expected 1, got ${stars}`);
  assert.ok(Math.abs(walks - 3 / 9) < 0.03, `expected 1/3, got ${walks}`);
  assert.ok(Number.isNaN(starRatio([[1], [1], [1]])));
});

test("PRADA's statistic tells natural inputs from small changes of a few", () => {
  const next = generator(5);
  const natural = Array.from({ length: 300 }, (_, i) => ({ point: normals(16, next), label: i % 2 }));
  assert.ok(shapiroWilk(pradaDistances(natural)) > 0.9);
  const made = natural.map((query, i) => {
    const seed = natural[i - (i % 3)] ?? query;
    return { point: seed.point.map((value) => value + 0.05 * normal(next)), label: seed.label };
  });
  assert.ok(shapiroWilk(pradaDistances(made)) < 0.9);
});
