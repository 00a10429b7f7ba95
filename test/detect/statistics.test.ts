// The statistics under their nulls, by simulation with fixed seeds, and their known values.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  betaBinomialUpperTail,
  fitBetaBinomial,
  fitLowerPart,
  fitRobust,
  fittedUpperTail,
  type GroupCount,
  logBetaBinomial,
} from "../../src/core/statistics/beta-binomial.ts";
import { type Load, logEvennessEValue, logRateEvenness } from "../../src/core/statistics/evenness.ts";
import { homogeneity } from "../../src/core/statistics/homogeneity.ts";
import { kolmogorovSmirnov } from "../../src/core/statistics/kolmogorov.ts";
import {
  adjustedPValues,
  benjaminiHochberg,
  eBenjaminiHochberg,
  smallestOf,
} from "../../src/core/statistics/multiple-testing.ts";
import { logChoose, logGamma, normalUpperTail, poissonUpperTail } from "../../src/core/statistics/special.ts";
import { tailPValues } from "../../src/core/statistics/tail.ts";

/** A small generator with a seed (mulberry32): the simulations below must say the same every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const exponential = (random: () => number): number => -Math.log(1 - random());

function gamma(shape: number, random: () => number): number {
  if (shape < 1) return gamma(shape + 1, random) * random() ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const x = normal(random);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

function normal(random: () => number): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
}

function betaBinomial(size: number, alpha: number, beta: number, random: () => number): GroupCount {
  const a = gamma(alpha, random);
  const rate = a / (a + gamma(beta, random));
  let hits = 0;
  for (let i = 0; i < size; i += 1) if (random() < rate) hits += 1;
  return { hits, size };
}

test("special functions have their known values", () => {
  assert.ok(Math.abs(logGamma(0.5) - Math.log(Math.sqrt(Math.PI))) < 1e-12);
  assert.ok(Math.abs(logGamma(11) - Math.log(3_628_800)) < 1e-11);
  assert.ok(Math.abs(Math.exp(logChoose(49, 6)) - 13_983_816) < 1e-4);
  assert.ok(Math.abs(normalUpperTail(1.959963984540054) - 0.025) < 1e-12);
  assert.ok(Math.abs(normalUpperTail(6) / 9.865876450376981e-10 - 1) < 1e-9);
  assert.ok(Math.abs(normalUpperTail(-1) + normalUpperTail(1) - 1) < 1e-12);
  assert.ok(Math.abs(poissonUpperTail(3, 1) - (1 - 2.5 / Math.E)) < 1e-12);
});

test("beta-binomial probabilities add up to one", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0.05, max: 20, noNaN: true }),
      (size, alpha) => {
        let sum = 0;
        for (let hits = 0; hits <= size; hits += 1)
          sum += Math.exp(logBetaBinomial({ hits, size }, { alpha, beta: 3 }));
        assert.ok(Math.abs(sum - 1) < 1e-9);
        assert.ok(Math.abs(betaBinomialUpperTail({ hits: 0, size }, { alpha, beta: 3 }) - 1) < 1e-9);
      },
    ),
  );
});

test("the fit finds mean and correlation again", () => {
  const random = generator(1);
  const counts = Array.from({ length: 400 }, () => betaBinomial(20, 0.6, 5.4, random));
  const shape = fitBetaBinomial(counts);
  const mean = shape.alpha / (shape.alpha + shape.beta);
  const correlation = 1 / (1 + shape.alpha + shape.beta);
  assert.ok(Math.abs(mean - 0.1) < 0.02, `mean ${mean}`);
  assert.ok(Math.abs(correlation - 1 / 7) < 0.05, `correlation ${correlation}`);
});

test("the robust fit is valid under the null: few groups fall below small levels", () => {
  const random = generator(2);
  let below = 0;
  let falls = 0;
  const worlds = 60;
  for (let world = 0; world < worlds; world += 1) {
    const counts = Array.from({ length: 40 }, () =>
      betaBinomial(5 + Math.floor(random() * 60), 0.5, 6, random),
    );
    const { shape } = fitRobust(counts, { setAside: 0.001 });
    const pValues = counts.map((count) => betaBinomialUpperTail(count, shape));
    below += pValues.filter((p) => p <= 0.01).length;
    falls += benjaminiHochberg(pValues, 0.01).length > 0 ? 1 : 0;
  }
  assert.ok(below / (worlds * 40) <= 0.013, `share of p-values at most 0.01: ${below / (worlds * 40)}`);
  assert.ok(falls <= 3, `worlds with a false discovery: ${falls} of ${worlds}`);
});

test("the robust fit survives contamination of a third, and the contaminants stand out", () => {
  const random = generator(3);
  const honest = Array.from({ length: 40 }, () => betaBinomial(20, 0.5, 6, random));
  const guilty = Array.from({ length: 20 }, () => ({ hits: 19, size: 20 }));
  const fit = fitRobust([...honest, ...guilty], { setAside: 0.001 });
  assert.ok(fittedUpperTail({ hits: 19, size: 20 }, fit) < 1e-4);
  assert.ok(honest.filter((count) => fittedUpperTail(count, fit) < 0.001).length <= 1);
});

test("the fit of the lower part is valid under the null, and what lies above cannot move it", () => {
  const random = generator(12);
  let [below, found] = [0, 0];
  const worlds = 30;
  for (let world = 0; world < worlds; world += 1) {
    const honest = Array.from({ length: 40 }, () =>
      betaBinomial(3 + Math.floor(random() * 40), 0.5, 6, random),
    );
    const guilty = Array.from({ length: 30 }, () => ({ hits: 19, size: 20 }));
    const fit = fitLowerPart([...honest, ...guilty]);
    assert.deepEqual(fit, fitLowerPart(honest));
    below += honest.filter((count) => fittedUpperTail(count, fit) <= 0.01).length;
    found += fittedUpperTail({ hits: 20, size: 20 }, fit) <= 0.01 ? 1 : 0;
  }
  assert.ok(below / (worlds * 40) <= 0.013, `share of p-values at most 0.01: ${below / (worlds * 40)}`);
  assert.ok(found >= 20, `worlds in which all of twenty stand out: ${found} of ${worlds}`);
});

test("rates are compared from each one's beginning: a balancer's are even however late members join", () => {
  const random = generator(13);
  const loads = (shape: number): Load[] =>
    Array.from({ length: 12 }, (_, member) => {
      const exposure = 10 + 20 * member;
      const rate = gamma(shape, random) / shape;
      let count = 0;
      for (let at = exponential(random) / rate; at < exposure; at += exponential(random) / rate) count += 1;
      return { count, exposure };
    });
  let [even, uneven] = [0, 0];
  for (let round = 0; round < 200; round += 1) {
    even += logRateEvenness(loads(64)) > Math.log(20) ? 1 : 0;
    uneven += logRateEvenness(loads(0.5)) < Math.log(0.05) ? 1 : 0;
  }
  assert.ok(even >= 190, `even rates seen as even: ${even} of 200`);
  assert.ok(uneven >= 160, `customers' rates seen as uneven: ${uneven} of 200`);
  assert.equal(logRateEvenness([{ count: 5, exposure: 0 }]), 0);
});

test("the evenness e-value has expectation at most one under its null and more uneven loads", () => {
  const random = generator(4);
  for (const shape of [1, 0.5]) {
    let sum = 0;
    const rounds = 4_000;
    for (let round = 0; round < rounds; round += 1) {
      const shares = Array.from({ length: 8 }, () => gamma(shape, random));
      const total = shares.reduce((a, b) => a + b, 0);
      const counts = new Array<number>(8).fill(1);
      for (let i = 0; i < 80; i += 1) {
        let at = random() * total;
        let member = 0;
        while (member < 7 && at > (shares[member] ?? 0)) at -= shares[member++] ?? 0;
        counts[member] = (counts[member] ?? 0) + 1;
      }
      sum += Math.exp(logEvennessEValue(counts));
    }
    assert.ok(sum / rounds < 1.35, `mean e-value ${sum / rounds} at concentration ${shape}`);
  }
  assert.ok(logEvennessEValue([20, 21, 19, 20, 22, 18, 20, 20]) > Math.log(1000));
  assert.equal(logEvennessEValue([1, 1, 1, 1]), 0);
});

test("likeness is claimed for shards of one list, and not for members with topics of their own", () => {
  const random = generator(5);
  const member = (
    count: number,
    centre: readonly number[],
  ): { sum: number[]; squares: number; count: number } => {
    const sum = new Array<number>(16).fill(0);
    let squares = 0;
    for (let i = 0; i < count; i += 1) {
      for (let d = 0; d < 16; d += 1) {
        const value = (centre[d] ?? 0) + normal(random);
        sum[d] = (sum[d] ?? 0) + value;
        squares += value * value;
      }
    }
    return { sum, squares, count };
  };
  const common = Array.from({ length: 16 }, () => normal(random));
  const shards = Array.from({ length: 12 }, () => member(20, common));
  const alike = homogeneity(shards, { margin: 0.1 });
  assert.ok(Math.abs(alike.between) < 0.03 && alike.pValue < 1e-4, JSON.stringify(alike));
  let claimed = 0;
  for (let round = 0; round < 200; round += 1) {
    // Between-member variance 1/9 of the within: the correlation is exactly the margin, the hardest null.
    const own = Array.from({ length: 12 }, () =>
      member(
        20,
        Array.from({ length: 16 }, () => normal(random) / 3),
      ),
    );
    if (homogeneity(own, { margin: 0.1 }).pValue <= 0.01) claimed += 1;
  }
  assert.ok(claimed <= 12, `claimed likeness at the margin ${claimed} of 200 times at level 0.01`);
  assert.equal(homogeneity(shards.slice(0, 3), { margin: 0.1 }).pValue, 1);
});

test("sums of sketches merge: a pool judged from its members' sums in any grouping is the same", () => {
  const vector = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 4, maxLength: 4 });
  const members = fc.array(fc.array(vector, { minLength: 2, maxLength: 6 }), { minLength: 4, maxLength: 8 });
  fc.assert(
    fc.property(members, (groups) => {
      const add = (
        list: readonly (readonly number[])[],
      ): { sum: number[]; squares: number; count: number } => ({
        sum: [0, 1, 2, 3].map((d) => list.reduce((s, v) => s + (v[d] ?? 0), 0)),
        squares: list.reduce((s, v) => s + v.reduce((t, x) => t + x * x, 0), 0),
        count: list.length,
      });
      const whole = groups.map(add);
      const halves = groups.map((list) => {
        const [a, b] = [add(list.slice(0, 1)), add(list.slice(1))];
        return {
          sum: a.sum.map((value, d) => value + (b.sum[d] ?? 0)),
          squares: a.squares + b.squares,
          count: a.count + b.count,
        };
      });
      assert.deepEqual(homogeneity(whole, { margin: 0.1 }), homogeneity(halves, { margin: 0.1 }));
    }),
  );
});

test("tail p-values of members of a Pareto population are valid, and an outlier is seen", () => {
  const random = generator(6);
  let small = 0;
  let falls = 0;
  const worlds = 150;
  for (let world = 0; world < worlds; world += 1) {
    const values = Array.from({ length: 60 }, () => 10 * (1 - random()) ** (-1 / 1.5));
    const pValues = tailPValues(values);
    small += pValues.filter((p) => p <= 0.005).length;
    falls += benjaminiHochberg(pValues, 0.01).length > 0 ? 1 : 0;
  }
  assert.ok(small / (worlds * 60) <= 0.005, `share of p-values at most 0.005: ${small / (worlds * 60)}`);
  assert.ok(falls <= 6, `worlds with a false discovery at 1 %: ${falls} of ${worlds}`);
  const peers = Array.from({ length: 60 }, (_, i) => 10 + i);
  const of = (value: number, others: readonly number[]): number =>
    tailPValues([...others, value]).at(-1) ?? 0;
  assert.ok(of(5_000, peers) < 1e-6);
  assert.equal(of(5, peers), 1);
  assert.ok(of(5_000, peers.slice(0, 10)) > 0.05, "ten peers say nothing");
});

test("Benjamini-Hochberg, e-BH and Bonferroni do what they say", () => {
  assert.deepEqual(benjaminiHochberg([0.001, 0.2, 0.011, 0.9], 0.025), [0, 2]);
  assert.deepEqual(benjaminiHochberg([0.3, 0.4], 0.05), []);
  assert.deepEqual(eBenjaminiHochberg([500, 1, 250, 3], 0.002), []);
  assert.deepEqual(eBenjaminiHochberg([500, 1, 250, 3], 0.01), [0, 2]);
  assert.equal(smallestOf([0.4, 0.01, 0.2]), 0.03);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0.001, max: 0.3, noNaN: true }),
      (pValues, level) => {
        const adjusted = adjustedPValues(pValues);
        const byAdjusted = adjusted.flatMap((p, at) => (p <= level ? [at] : []));
        // Rounding may differ at equality: compare where the adjusted value is clearly on one side.
        const clear = adjusted.every((p) => Math.abs(p - level) > 1e-12);
        if (clear) assert.deepEqual(byAdjusted, benjaminiHochberg(pValues, level));
      },
    ),
  );
});

test("Kolmogorov-Smirnov keeps its level and sees a shift", () => {
  const random = generator(7);
  let rejected = 0;
  for (let round = 0; round < 400; round += 1) {
    const sample = (): number[] => Array.from({ length: 20 }, () => exponential(random));
    if (kolmogorovSmirnov(sample(), sample()) <= 0.05) rejected += 1;
  }
  assert.ok(rejected <= 32, `rejected ${rejected} of 400 at level 0.05`);
  const low = Array.from({ length: 30 }, () => random());
  assert.ok(
    kolmogorovSmirnov(
      low,
      low.map((value) => value + 0.6),
    ) < 0.001,
  );
  assert.equal(kolmogorovSmirnov(low, low), 1);
  assert.equal(kolmogorovSmirnov([], low), 1);
});
