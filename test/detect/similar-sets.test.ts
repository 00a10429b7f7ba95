// The banded search for similar sets finds no pair that comparing every pair doesn't, and misses few at the threshold.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generator } from "../../src/core/statistics/generator.ts";
import { similarSets } from "../../src/detect/similar-sets.ts";

const WHOLE = { least: 0.5, limit: 1_000 };

function jaccard(a: readonly number[], b: readonly number[]): number {
  const common = a.filter((member) => b.includes(member)).length;
  return common / Math.max(1, a.length + b.length - common);
}

test("every pair found is similar, each once, and equal sets are always found", () => {
  const members = fc.integer({ min: 0, max: 12 });
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(members, { minLength: 1, maxLength: 7 }), { maxLength: 12 }),
      fc.constantFrom(0.2, 0.5, 0.8, 1),
      (unordered, least) => {
        const sets = unordered.map((set) => set.toSorted((a, b) => a - b));
        const found = [...similarSets(sets, { least, limit: 1_000 })];
        assert.equal(new Set(found.map(String)).size, found.length);
        for (const [a, b] of found) assert.ok(a < b && jaccard(sets[a] ?? [], sets[b] ?? []) >= least);
        const equal = sets.flatMap((set, b) =>
          sets.slice(0, b).flatMap((other, a) => (String(other) === String(set) ? [`${a},${b}`] : [])),
        );
        for (const pair of equal) assert.ok(found.map(String).includes(pair), pair);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

test("pairs well above the threshold are found, and a known pair is not told again", () => {
  const random = generator(7);
  const draw = (count: number): number[] =>
    Array.from({ length: count }, () => Math.floor(random() * 2 ** 32));
  let [found, pairs] = [0, 0];
  for (let round = 0; round < 300; round += 1) {
    const common = draw(20);
    const sets = [draw(5), draw(5)].map((own) => [...common, ...own].sort((a, b) => a - b));
    pairs += 1;
    found += [...similarSets(sets, WHOLE)].length;
    assert.deepEqual([...similarSets(sets, { ...WHOLE, isKnown: () => true })], []);
  }
  assert.ok(found >= 0.99 * pairs, `${found} of ${pairs} pairs of similarity 2/3`);
});

test("of sets too large to hold, the smallest members tell the similarity", () => {
  const random = generator(11);
  const draw = (count: number): number[] =>
    Array.from({ length: count }, () => Math.floor(random() * 2 ** 32));
  const cut = (set: readonly number[]): number[] => set.toSorted((a, b) => a - b).slice(0, 128);
  const similar = (share: number): number => {
    let found = 0;
    for (let round = 0; round < 60; round += 1) {
      const common = draw(2_000 * share);
      const own = 2_000 * (1 - share) * 0.5;
      found += [
        ...similarSets([cut([...common, ...draw(own)]), cut([...common, ...draw(own)])], {
          least: 0.5,
          limit: 128,
        }),
      ].length;
    }
    return found / 60;
  };
  assert.ok(similar(0.7) > 0.95);
  assert.ok(similar(0.3) < 0.05);
});
