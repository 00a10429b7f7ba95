// The statistics behind the ranking of accounts, under their nulls: exact expectations, Ville's bound, contamination.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GroupCount } from "../../src/core/statistics/beta-binomial.ts";
import { generator } from "../../src/core/statistics/generator.ts";
import { learnKinds } from "../../src/core/statistics/kinds.ts";
import { eBenjaminiHochberg } from "../../src/core/statistics/multiple-testing.ts";
import { plausibleNulls, type RateNull, rateEvidence } from "../../src/core/statistics/rate-evidence.ts";
import { logBeta, logChoose } from "../../src/core/statistics/special.ts";

const nulls: fc.Arbitrary<RateNull> = fc.record({
  alpha: fc.double({ min: 0.02, max: 30, noNaN: true }),
  beta: fc.double({ min: 0.02, max: 30, noNaN: true }),
  share: fc.double({ min: 0.002, max: 0.4, noNaN: true }),
});

function betaBinomial({ hits, size }: GroupCount, alpha: number, beta: number): number {
  return Math.exp(logChoose(size, hits) + logBeta(hits + alpha, size - hits + beta) - logBeta(alpha, beta));
}

/** P(hits of size) under the null as documented: the usual sort, and a share of the other one's two parts. */
function nullProbability(count: GroupCount, { alpha, beta, share }: RateNull): number {
  const other = [2, 16].map((step) => betaBinomial(count, alpha + step * (alpha + beta), Math.min(1, beta)));
  return (1 - share) * betaBinomial(count, alpha, beta) + (share * ((other[0] ?? 0) + (other[1] ?? 0))) / 2;
}

test("evidence has expectation 1 after any number of trials, and is never above one over the share", () => {
  fc.assert(
    fc.property(nulls, fc.integer({ min: 1, max: 30 }), (one, size) => {
      let [total, expectation] = [0, 0];
      for (let hits = 0; hits <= size; hits += 1) {
        const value = rateEvidence({ hits, size }, [one]);
        assert.ok(value <= 1 / one.share + 1e-6);
        const chance = nullProbability({ hits, size }, one);
        total += chance;
        expectation += chance * value;
      }
      assert.ok(Math.abs(total - 1) < 1e-6, `probabilities add up to ${total}`);
      assert.ok(Math.abs(expectation - 1) < 1e-6, `expectation ${expectation}`);
    }),
  );
});

test("evidence is a supermartingale where each hit is no likelier than the null predicts, whatever happened before", () => {
  fc.assert(
    fc.property(
      nulls,
      fc.integer({ min: 0, max: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (one, size, place, fraction) => {
        const hits = Math.round(place * size);
        const now = rateEvidence({ hits, size }, [one]);
        const hit = rateEvidence({ hits: hits + 1, size: size + 1 }, [one]);
        const miss = rateEvidence({ hits, size: size + 1 }, [one]);
        assert.ok(hit >= miss - 1e-9 * hit);
        // The usual sort predicts fewer hits than the whole null does.
        const predicted = (one.alpha + hits) / (one.alpha + one.beta + size);
        const chance = fraction * predicted;
        assert.ok(chance * hit + (1 - chance) * miss <= now * (1 + 1e-6) + 1e-12);
      },
    ),
  );
});

test("e-values that are valid for exchangeable accounts and add up to their number reject nobody", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (raw) => {
      const sum = raw.reduce((total, value) => total + value, 0);
      const eValues = raw.map((value) => (sum === 0 ? 0 : (value * raw.length) / sum));
      assert.deepEqual(eBenjaminiHochberg(eValues, 0.99), []);
    }),
  );
});

function gammaOf(shape: number, random: () => number): number {
  // Ahrens and Dieter 1974 for shapes below 1, sums for the rest.
  let sum = 0;
  for (let whole = Math.floor(shape); whole > 0; whole -= 1) sum -= Math.log(1 - random());
  const part = shape - Math.floor(shape);
  if (part === 0) return sum;
  for (;;) {
    const b = (Math.E + part) / Math.E;
    const p = b * random();
    if (p <= 1) {
      const x = p ** (1 / part);
      if (random() <= Math.exp(-x)) return sum + x;
    } else {
      const x = -Math.log((b - p) / part);
      if (random() <= x ** (part - 1)) return sum + x;
    }
  }
}

interface Kind {
  readonly alpha: number;
  readonly beta: number;
  readonly accounts: number;
  readonly attackers: number;
}

const TRIALS = 56;
const LOOKS_EVERY = 8;

/**
 * Largest e-value of each honest account over all looks, nulls fitted anew at each of them; and what everybody has at
 * the last one. Attackers hit in 85 of 100 trials.
 */
function watchKind(
  kind: Kind,
  random: () => number,
): { readonly largest: number[]; readonly honest: number[]; readonly attackers: number[] } {
  const rates = Array.from({ length: kind.accounts }, (_, index) => {
    if (index < kind.attackers) return 0.85;
    const a = gammaOf(kind.alpha, random);
    return a / (a + gammaOf(kind.beta, random));
  });
  const hits = rates.map(() => 0);
  const largest = rates.map(() => 0);
  let last: number[] = [];
  for (let size = 1; size <= TRIALS; size += 1) {
    rates.forEach((rate, index) => {
      if (random() < rate) hits[index] = (hits[index] ?? 0) + 1;
    });
    if (size % LOOKS_EVERY !== 0) continue;
    const fitted = plausibleNulls(hits.map((count) => ({ hits: count, size })));
    last = hits.map((count) => rateEvidence({ hits: count, size }, fitted));
    last.forEach((value, index) => {
      largest[index] = Math.max(largest[index] ?? 0, value);
    });
  }
  return {
    largest: largest.slice(kind.attackers),
    honest: last.slice(kind.attackers),
    attackers: last.slice(0, kind.attackers),
  };
}

function shareAbove(values: readonly number[], limit: number): number {
  return values.filter((value) => value >= limit).length / values.length;
}

test("Ville's bound holds over all looks, with nulls fitted to the accounts themselves", () => {
  const random = generator(41);
  const shapes = [
    [0.3, 6],
    [0.5, 20],
    [1, 3],
    [0.2, 0.4],
    [4, 2],
  ] as const;
  const honest = shapes
    .flatMap(([alpha, beta]) =>
      Array.from(
        { length: 4 },
        () => watchKind({ alpha, beta, accounts: 100, attackers: 0 }, random).largest,
      ),
    )
    .flat();
  for (const limit of [2, 5, 10, 20, 50])
    assert.ok(shareAbove(honest, limit) <= 1 / limit, `${shareAbove(honest, limit)} reach ${limit}`);
});

test("contamination never makes honest accounts look strange; foreign ones stay in front up to half of their kind", () => {
  const random = generator(42);
  for (const attackers of [1, 5, 10, 20, 30, 50]) {
    const runs = Array.from({ length: 4 }, () =>
      watchKind({ alpha: 0.5, beta: 8, accounts: 100, attackers }, random),
    );
    const largest = runs.flatMap((run) => run.largest);
    for (const limit of [5, 10, 20])
      assert.ok(shareAbove(largest, limit) <= 1 / limit, `${attackers}: ${limit}`);
    const before = runs.flatMap((run) => {
      const most = Math.max(...run.honest);
      return run.attackers.map((value) => (value > most ? 1 : 0));
    });
    const share = shareAbove(before, 1);
    const evidence = runs.flatMap((run) => run.attackers).sort((a, b) => a - b)[2 * attackers];
    process.stdout.write(
      `# ${attackers} of 100 foreign: ${share} before every honest account, e ${evidence}\n`,
    );
    assert.ok(share >= 0.9, `${attackers}: ${share}`);
  }
});

test("kinds are a partition by cuts, none below the least size, and the same whatever the order", () => {
  const vector = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(vector, { maxLength: 120 }),
      fc.integer({ min: 1, max: 20 }),
      (vectors, minMembers) => {
        const options = { minMembers, minExplained: 0.15 };
        const kinds = learnKinds(vectors, options);
        const members = kinds.flatMap((kind) => kind.members).sort((a, b) => a - b);
        assert.deepEqual(
          members,
          vectors.map((_, index) => index),
        );
        for (const kind of kinds) {
          if (kinds.length > 1) assert.ok(kind.members.length >= minMembers);
          for (const { dimension, at, isAbove } of kind.cuts)
            for (const index of kind.members) assert.equal((vectors[index]?.[dimension] ?? 0) >= at, isAbove);
        }
        const turned = learnKinds([...vectors].reverse(), options);
        const sizes = (of: typeof kinds): number[] =>
          of.map((kind) => kind.members.length).sort((a, b) => a - b);
        assert.deepEqual(sizes(turned), sizes(kinds));
      },
    ),
  );
});

test("kinds that lie apart are told apart, and a population without any is left whole", () => {
  const random = generator(43);
  const near = (x: number): number[] => [x + 0.05 * random(), random() * 0.05];
  const two = Array.from({ length: 100 }, (_, index) => near(index % 2));
  const kinds = learnKinds(two, { minMembers: 20, minExplained: 0.5 });
  assert.deepEqual(
    kinds.map((kind) => kind.members.length),
    [50, 50],
  );
  const round = Array.from({ length: 400 }, () => [
    random(),
    random(),
    random(),
    random(),
    random(),
    random(),
  ]);
  assert.equal(learnKinds(round, { minMembers: 20, minExplained: 0.15 }).length, 1);
});
