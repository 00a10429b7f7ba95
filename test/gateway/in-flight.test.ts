// The list of exchanges in flight keeps exactly those that came and have not left.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InFlight, type Placed } from "../../src/gateway/in-flight.ts";

test("members that leave in any order, twice or never having come, leave the others in place", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20, max: 20 })), (steps) => {
      const list = new InFlight<Placed>();
      const known: Placed[] = Array.from({ length: 21 }, () => ({ slot: -1 }));
      const expected = new Set<Placed>();
      for (const step of steps) {
        const member = known[Math.abs(step)] as Placed;
        if (step >= 0 && !expected.has(member)) {
          list.add(member);
          expected.add(member);
        } else if (step < 0) {
          list.remove(member);
          expected.delete(member);
        }
      }
      assert.deepEqual(new Set(list.all()), expected);
      assert.equal(list.all().length, expected.size);
    }),
  );
});
