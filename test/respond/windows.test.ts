// Sliding windows in memory and in Redis: no stretch of a window's length ever sees more than the limit, and nothing
// is held back longer than a twentieth of the window.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { connectRedis, isReady } from "../../src/state/redis.ts";
import { RedisWindow } from "../../src/state/redis-window.ts";
import { PARTS, SlidingWindow } from "../../src/state/sliding-window.ts";
import { startRedis } from "../helpers/redis.ts";

const WINDOW_MS = 60_000;
const PART_MS = WINDOW_MS / PARTS;

describe("a window in memory", () => {
  it("admits at most the limit in any stretch, and never refuses what fits in a little more than the window", () => {
    const steps = fc.array(
      fc.record({ pauseMs: fc.integer({ min: 0, max: 20_000 }), amount: fc.integer({ min: 1, max: 4 }) }),
      { minLength: 1, maxLength: 120 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(1e9), steps, (limit, startMs, asked) => {
        let nowMs = startMs;
        const window = new SlidingWindow({ limit, windowSeconds: WINDOW_MS / 1000, now: () => nowMs });
        const taken: { atMs: number; amount: number }[] = [];
        const within = (lengthMs: number): number =>
          taken.filter(({ atMs }) => atMs > nowMs - lengthMs).reduce((sum, { amount }) => sum + amount, 0);
        for (const { pauseMs, amount } of asked) {
          nowMs += pauseMs;
          const { isWithin, remaining, resetMs } = window.take("k", amount);
          if (isWithin) {
            taken.push({ atMs: nowMs, amount });
            assert.ok(within(WINDOW_MS) <= limit, "any stretch that ends now");
            assert.ok(remaining <= limit - within(WINDOW_MS));
            continue;
          }
          assert.ok(within(WINDOW_MS + PART_MS) + amount > limit, "refused only what does not fit");
          assert.ok(resetMs <= WINDOW_MS + PART_MS);
          // What is promised holds: at that time it fits, if it ever can.
          nowMs += resetMs;
          if (amount > limit) continue;
          assert.ok(window.take("k", amount).isWithin);
          taken.push({ atMs: nowMs, amount });
        }
      }),
      { numRuns: 300, seed: 17 },
    );
  });

  it("charges beyond the limit, says when something is free again, and gives back what was just taken", () => {
    let nowMs = 1e12;
    const window = new SlidingWindow({ limit: 10, windowSeconds: 60, now: () => nowMs });
    assert.ok(window.charge("k", 9).isWithin);
    nowMs += 30_000;
    const over = window.charge("k", 21);
    assert.ok(!over.isWithin && over.remaining === 0);
    nowMs += over.resetMs - 1;
    assert.ok(!window.take("k", 1).isWithin);
    nowMs += 1;
    assert.ok(window.take("k", 1).isWithin);
    window.giveBack("k", 1);
    assert.ok(window.take("k", 10).isWithin, "refusals cost nothing, and what was given back is there");
    window.giveBack("k", 11);
    assert.ok(!window.take("k", 1).isWithin, "nobody gives back more than was taken");
  });

  it("forgets keys that nobody asks for any more", () => {
    let nowMs = 1e12;
    const window = new SlidingWindow({ limit: 10, windowSeconds: 1, now: () => nowMs });
    for (let key = 0; key < 1000; key += 1) window.take(`k${key}`, 1);
    nowMs += 5000;
    for (let call = 0; call < 1000; call += 1) window.take("one", 0);
    assert.equal(window.size, 1);
  });
});

it("a window in Redis holds in any stretch by the server's clock, over two connections", {
  timeout: 120_000,
}, async (t) => {
  const server = await startRedis();
  t.after(() => server.close());
  const limit = 20;
  const open = async (): Promise<RedisWindow> => {
    const config = { url: server.url, password: null, timeoutMs: 30_000 };
    const redis = await connectRedis({ config, readSecret: async () => "", onLost: () => {} });
    t.after(() => redis.disconnect());
    assert.ok(await isReady(redis, 30_000));
    return new RedisWindow(redis, { name: "second", limit, windowSeconds: 1 });
  };
  const windows = [await open(), await open()];
  // The true moment of each taking lies between the call and its answer: the bound below holds however slow both are.
  const taken: { beforeMs: number; afterMs: number }[] = [];
  const endMs = performance.now() + 3500;
  let refused = 0;
  const ask = async (window: RedisWindow): Promise<void> => {
    while (performance.now() < endMs) {
      const beforeMs = performance.now();
      const { isWithin } = await window.take("k", 1);
      if (isWithin) taken.push({ beforeMs, afterMs: performance.now() });
      else {
        refused += 1;
        await sleep(5);
      }
    }
  };
  await Promise.all([...windows, ...windows].map(ask));
  assert.ok(refused > 0 && taken.length > limit, `${taken.length} taken, ${refused} refused`);
  const starts = taken.map(({ beforeMs }) => beforeMs).sort((a, b) => a - b);
  const ends = taken.map(({ afterMs }) => afterMs).sort((a, b) => a - b);
  for (let at = 0; at + limit < taken.length; at += 1) {
    const apartMs = (ends[at + limit] ?? 0) - (starts[at] ?? 0);
    // The script counts in whole milliseconds, and the server's clock may run a little faster than ours.
    assert.ok(apartMs >= 1000 - 5, `${limit + 1} within ${apartMs} ms`);
  }
});

it("a window in Redis takes the same steps as one in memory", async (t) => {
  const server = await startRedis();
  t.after(() => server.close());
  const config = { url: server.url, password: null, timeoutMs: 30_000 };
  const redis = await connectRedis({ config, readSecret: async () => "", onLost: () => {} });
  t.after(() => redis.disconnect());
  assert.ok(await isReady(redis, 30_000));
  // A year's part lasts for weeks: no boundary comes between the steps, whatever the clock says.
  const kept = { limit: 10, windowSeconds: 366 * 86_400 };
  const steps = fc.array(
    fc.record({
      step: fc.constantFrom("take", "charge", "giveBack"),
      amount: fc.integer({ min: 1, max: 6 }),
    } as const),
    { maxLength: 30 },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (asked) => {
      run += 1;
      const there = new RedisWindow(redis, { name: `run-${run}`, ...kept });
      const here = new SlidingWindow({ ...kept, now: Date.now });
      for (const { step, amount } of asked) {
        const [expected, got] = [here[step]("k", amount), await there[step]("k", amount)];
        if (expected === undefined || got === undefined) continue;
        assert.deepEqual([got.isWithin, got.remaining], [expected.isWithin, expected.remaining]);
        assert.ok(Math.abs(got.resetMs - expected.resetMs) < 60_000, "the clocks of both differ a little");
      }
    }),
    { numRuns: 40, seed: 19 },
  );
});
