// The filtered search for similar sets finds exactly what comparing every pair finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { similarSets } from "../../src/detect/similar-sets.ts";

function slowly(sets: readonly (readonly string[])[], least: number): string[] {
  const found: string[] = [];
  sets.forEach((b, second) => {
    sets.slice(0, second).forEach((a, first) => {
      const common = a.filter((member) => b.includes(member)).length;
      const all = a.length + b.length - common;
      if (common > 0 && common >= least * all) found.push(`${first} ${second}`);
    });
  });
  return found.sort();
}

test("similar sets are those that comparing every pair finds", () => {
  const members = fc.constantFrom(..."abcdefghij");
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(members, { maxLength: 7 }), { maxLength: 12 }),
      fc.constantFrom(0.2, 0.5, 0.8, 1),
      (sets, least) => {
        const found = [...similarSets(sets, least)].map((pair) => pair.join(" ")).sort();
        assert.deepEqual(found, slowly(sets, least));
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});
