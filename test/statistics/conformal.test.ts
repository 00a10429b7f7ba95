// Conformal p-values and e-BH under their nulls, by simulation with fixed seeds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { conformalPValue } from "../../src/core/statistics/conformal.ts";
import { fisherDistance, referenceOf, scaledMmd } from "../../src/core/statistics/mean-embedding.ts";
import { benjaminiHochberg, eBenjaminiHochberg } from "../../src/core/statistics/multiple-testing.ts";
import { generator, normal } from "./generator.ts";

test("conformal p-values are valid under the null, ties included", () => {
  const random = generator(11);
  const rounds = 4_000;
  const levels = [0.01, 0.05, 0.1, 0.5];
  const below = levels.map(() => 0);
  for (let round = 0; round < rounds; round += 1) {
    const scores = Array.from({ length: 100 }, () => Math.floor(20 * random() ** 3));
    const [score = 0, ...calibration] = scores;
    const p = conformalPValue(score, calibration);
    levels.forEach((level, i) => {
      if (p <= level) below[i] = (below[i] ?? 0) + 1;
    });
  }
  levels.forEach((level, i) => {
    const error = 4 * Math.sqrt((level * (1 - level)) / rounds);
    assert.ok((below[i] ?? 0) / rounds <= level + error, `P(p <= ${level}) = ${(below[i] ?? 0) / rounds}`);
  });
});

test("e-BH holds its level when all e-values lean on one another", () => {
  const random = generator(14);
  const [worlds, honest, guilty] = [600, 60, 4];
  let falseShare = 0;
  let found = 0;
  for (let world = 0; world < worlds; world += 1) {
    const common = normal(random);
    const eValues = Array.from({ length: honest + guilty }, (_, index) => {
      const z = 0.8 * common + 0.6 * normal(random); // correlation 0.64 between any two
      const shift = index >= honest ? 6 : 0;
      const bets = 3; // likelihood ratio of N(3, 1) against N(0, 1): mean 1 under the null
      return Math.exp(bets * (z + shift) - (bets * bets) / 2);
    });
    const rejected = eBenjaminiHochberg(eValues, 0.1);
    const wrong = rejected.filter((index) => index < honest).length;
    falseShare += wrong / Math.max(1, rejected.length);
    found += rejected.length - wrong;
  }
  assert.ok(falseShare / worlds <= 0.1, `realised ${falseShare / worlds}`);
  assert.ok(found / worlds > guilty / 2, `found ${found / worlds} of ${guilty}`);
});

test("conformal p-values and Benjamini-Hochberg survive a contaminated calibration; only power is lost", () => {
  const random = generator(15);
  const power: number[] = [];
  for (const contamination of [0, 0.001, 0.01, 0.05]) {
    let falseShare = 0;
    let found = 0;
    const worlds = 40;
    for (let world = 0; world < worlds; world += 1) {
      const calibration = Array.from(
        { length: 2_000 },
        (_, i) => normal(random) + (i < contamination * 2_000 ? 8 : 0),
      );
      const scores = Array.from({ length: 200 }, (_, i) => normal(random) + (i < 30 ? 8 : 0));
      const rejected = benjaminiHochberg(
        scores.map((score) => conformalPValue(score, calibration)),
        0.05,
      );
      const wrong = rejected.filter((index) => index >= 30).length;
      falseShare += wrong / Math.max(1, rejected.length);
      found += rejected.length - wrong;
    }
    assert.ok(falseShare / worlds <= 0.05 * 1.3, `realised ${falseShare / worlds} at ${contamination}`);
    power.push(found / worlds / 30);
  }
  assert.ok((power[0] ?? 0) > 0.95 && (power[1] ?? 0) > 0.95, `power ${power}`);
  assert.ok((power[3] ?? 1) < 0.1, `five in a hundred hide thirty: power ${power}`);
});

test("both kernel statistics have a null that does not depend on the counts, and see a shift", () => {
  const random = generator(16);
  const vector = (shift: number): number[] =>
    Array.from({ length: 12 }, (_, i) => normal(random) * (i < 2 ? 5 : 0.3) + (i === 11 ? shift : 0));
  const reference = referenceOf(Array.from({ length: 1_500 }, () => vector(0)));
  const windowOf = (count: number, shift: number) => {
    const sum = new Float64Array(12);
    for (let n = 0; n < count; n += 1)
      vector(shift).forEach((value, i) => {
        sum[i] = (sum[i] ?? 0) + value;
      });
    return { sum, count };
  };
  const mean = (count: number, statistic: typeof fisherDistance, shift = 0): number => {
    let total = 0;
    for (let round = 0; round < 150; round += 1) total += statistic(windowOf(count, shift), reference);
    return total / 150;
  };
  for (const statistic of [fisherDistance, scaledMmd]) {
    const ratio = mean(20, statistic) / mean(80, statistic);
    assert.ok(ratio > 0.7 && ratio < 1.4, `ratio ${ratio}`);
  }
  // The shift lies where the reference hardly varies: Fisher's distance sees it, MMD² hardly.
  assert.ok(mean(80, fisherDistance, 0.25) > 2 * mean(80, fisherDistance, 0));
  assert.ok(mean(80, scaledMmd, 0.25) < 1.5 * mean(80, scaledMmd, 0));
});
