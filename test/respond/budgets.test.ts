// Budgets on the real counters: never more than the limit, over workers and gateways, and with Redis killed meanwhile.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { Redis } from "ioredis";
import {
  isCountedAtTheGateway,
  type RespondConfig,
  respondSection,
} from "../../src/config/respond-section.ts";
import { type CopyTarget, copyNeeds, limitOf, secondsToCopy } from "../../src/core/extraction-model.ts";
import { Budgets, type Caller, scopeKey } from "../../src/state/budgets.ts";
import { connectRedis, hearNews, isReady, tellNews } from "../../src/state/redis.ts";
import { until } from "../gateway/harness.ts";
import { startRedis } from "../helpers/redis.ts";

const ACME: Caller = { account: "acme", endUser: null, organization: "Acme", verdict: null };

function respond(settings: Record<string, unknown>): RespondConfig {
  return respondSection.parse(settings);
}

function budgets(
  config: RespondConfig,
  more: Partial<ConstructorParameters<typeof Budgets>[0]> = {},
): Budgets {
  return new Budgets({
    config,
    redis: null,
    spentUntil: () => 0,
    now: Date.now,
    onUnavailable: () => {},
    ...more,
  });
}

async function redisClient(t: TestContext, url: string): Promise<Redis> {
  const redis = await connectRedis({
    // A busy machine is not a Redis that is gone.
    config: { url, password: null, timeoutMs: 30_000 },
    readSecret: async () => "",
    onLost: () => {},
  });
  t.after(() => redis.disconnect());
  assert.ok(await isReady(redis, 30_000));
  return redis;
}

async function admitted(all: readonly Promise<{ admitted: boolean }>[]): Promise<number> {
  return (await Promise.all(all)).filter((one) => one.admitted).length;
}

const HOURLY = { name: "hourly", scope: "account", unit: "requests", windowSeconds: 3600 } as const;

describe("a budget of requests", () => {
  it("admits the limit and no more, and says in standard headers what is left", async () => {
    const own = budgets(respond({ budgets: [{ ...HOURLY, limit: 3 }] }));
    const first = await own.admit(ACME);
    const [reset] = first.headers.slice(5, 6);
    assert.ok(Number(reset) >= 3600 && Number(reset) <= 3600 * 1.05, "the window, at most a twentieth more");
    assert.deepEqual(first, {
      admitted: true,
      headers: [
        ...["ratelimit-limit", "3", "ratelimit-remaining", "2"],
        ...["ratelimit-reset", reset, "ratelimit-policy", "3;w=3600"],
      ],
    });
    assert.equal(await admitted(Array.from({ length: 50 }, () => own.admit(ACME))), 2);
    const refused = await own.admit(ACME);
    assert.ok(!refused.admitted && refused.why === "spent");
    assert.ok(refused.retryAfterSeconds > 3000 && refused.retryAfterSeconds <= 3780);
    assert.deepEqual(refused.headers.slice(0, 4), ["ratelimit-limit", "3", "ratelimit-remaining", "0"]);
    assert.ok((await own.admit({ ...ACME, account: "other" })).admitted, "others have their own");
  });

  it("holds for account, organisation, campaign and everybody at once; who is over their own takes nothing from others", async () => {
    const scopes = [
      { name: "own", scope: "account", unit: "requests", limit: 2 },
      { name: "org", scope: "organization", unit: "requests", limit: 3 },
      { name: "fleet", scope: "campaign", unit: "requests", limit: 4 },
      { name: "all", scope: "global", unit: "requests", limit: 5 },
    ];
    const many = budgets(respond({ budgets: scopes }));
    const caller = (account: string, organization: string | null, verdict: string | null): Caller => ({
      account,
      endUser: null,
      organization,
      verdict,
    });
    const ask = async (who: Caller, times: number): Promise<number> =>
      await admitted(Array.from({ length: times }, () => many.admit(who)));
    assert.equal(await ask(caller("a", "X", null), 30), 2, "its own");
    assert.equal(await ask(caller("b", "X", null), 30), 1, "its organisation's rest");
    assert.equal(await ask(caller("c", null, "v"), 30), 2, "everybody's rest");
    const refused = await many.admit(caller("d", null, null));
    assert.deepEqual(refused.headers, [], "what all share is nobody's business");
  });

  it("of a tenant's user is that user's alone, comes on top of the account's, and needs a signature", async () => {
    const own = budgets(
      respond({
        budgets: [
          { ...HOURLY, limit: 4 },
          { ...HOURLY, name: "user", scope: "endUser", limit: 2 },
        ],
      }),
    );
    const as = (endUser: string | null): Caller => ({ ...ACME, endUser });
    const ask = async (endUser: string | null): Promise<number> =>
      await admitted(Array.from({ length: 10 }, () => own.admit(as(endUser))));
    assert.deepEqual((await own.admit(as("eu_1"))).headers.slice(0, 2), ["ratelimit-limit", "2"]);
    assert.equal(await ask("eu_1"), 1);
    const refused = await own.admit(as("eu_1"));
    assert.deepEqual(refused.headers.slice(0, 4), ["ratelimit-limit", "2", "ratelimit-remaining", "0"]);
    assert.equal(await ask("eu_2"), 2);
    assert.equal(await ask(null), 0, "the account's own budget is spent");
    const wrong = { name: "user", scope: "endUser", unit: "distinctPrompts", limit: 2 };
    assert.throws(() => respond({ budgets: [wrong] }), /the store knows no end users/);
    const long = { ...wrong, unit: "requests", windowSeconds: 86_401 };
    assert.throws(() => respond({ budgets: [long] }), /the store knows no end users/);
    respond({ budgets: [long], redis: { url: "redis://127.0.0.1:1" } });
  });

  it("never exceeds what is left, whatever the order", async () => {
    const plan = fc.array(
      fc.record({ account: fc.constantFrom("a", "b", "c"), times: fc.integer({ min: 1, max: 9 }) }),
      {
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        plan,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 15 }),
        async (calls, own, all) => {
          const both = budgets(
            respond({
              budgets: [
                { name: "all", scope: "global", unit: "requests", limit: all },
                { name: "own", scope: "account", unit: "requests", limit: own },
              ],
            }),
          );
          const served = new Map<string, number>();
          await Promise.all(
            calls.flatMap(({ account, times }) =>
              Array.from({ length: times }, async () => {
                const { admitted: ok } = await both.admit({
                  account,
                  endUser: null,
                  organization: null,
                  verdict: null,
                });
                if (ok) served.set(account, (served.get(account) ?? 0) + 1);
              }),
            ),
          );
          assert.ok([...served.values()].every((count) => count <= own));
          assert.ok([...served.values()].reduce((sum, count) => sum + count, 0) <= all);
        },
      ),
      { numRuns: 50, seed: 11 },
    );
  });
});

describe("a budget of tokens", () => {
  it("refuses the exchange after the one that spent it, until its window ends", async () => {
    let nowMs = Date.now();
    const tokens = { name: "tokens", scope: "account", unit: "outputTokens", limit: 100, windowSeconds: 60 };
    const own = budgets(respond({ budgets: [tokens] }), { now: () => nowMs });
    assert.ok(own.countsTokens);
    await own.charge(ACME, { inputTokens: 5000, outputTokens: 99 });
    assert.ok((await own.admit(ACME)).admitted);
    await own.charge(ACME, { inputTokens: 0, outputTokens: 1 });
    const refused = await own.admit(ACME);
    assert.ok(!refused.admitted && refused.why === "spent" && refused.retryAfterSeconds <= 63);
    nowMs += 64_000;
    assert.ok((await own.admit(ACME)).admitted);
  });

  it("that only the store can measure is refused while the verdict table says so", async () => {
    const nowMs = Date.now();
    const config = respond({
      budgets: [
        { name: "prompts", scope: "account", unit: "distinctPrompts", limit: 10 },
        { ...HOURLY, name: "monthly", windowSeconds: 30 * 86_400, limit: 10 },
      ],
    });
    assert.deepEqual(
      config.budgets.map((budget) => isCountedAtTheGateway(budget, { hasRedis: false })),
      [false, false],
    );
    assert.deepEqual(
      config.budgets.map((budget) => isCountedAtTheGateway(budget, { hasRedis: true })),
      [false, true],
    );
    const asked: string[] = [];
    const own = budgets(config, {
      now: () => nowMs,
      spentUntil: (name, scope) => {
        asked.push(`${name} ${scope}`);
        return name === "monthly" ? nowMs + 90_000 : 0;
      },
    });
    const refused = await own.admit(ACME);
    assert.ok(!refused.admitted && refused.retryAfterSeconds === 90);
    assert.deepEqual(asked, ["prompts account:acme", "monthly account:acme"]);
  });
});

describe("two gateways with one Redis", () => {
  it("together admit the limit and no more", async (t) => {
    const server = await startRedis();
    t.after(() => server.close());
    const config = respond({ budgets: [{ ...HOURLY, limit: 150 }] });
    const [one, other] = [
      budgets(config, { redis: await redisClient(t, server.url) }),
      budgets(config, { redis: await redisClient(t, server.url) }),
    ];
    const calls = Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? one : other).admit(ACME));
    assert.equal(await admitted(calls), 150);
  });

  for (const mode of ["closed", "open", "localShare"] as const) {
    it(`with Redis killed: ${mode}`, async (t) => {
      const server = await startRedis();
      t.after(() => server.close());
      const config = respond({ budgets: [{ ...HOURLY, limit: 40 }], onRedisFailure: mode, gateways: 2 });
      const clients = [await redisClient(t, server.url), await redisClient(t, server.url)];
      const both = clients.map((redis) => budgets(config, { redis }));
      const ask = (times: number): Promise<{ admitted: boolean }>[] =>
        both.flatMap((one) => Array.from({ length: times }, () => one.admit(ACME)));
      assert.equal(await admitted(ask(5)), 10);
      await server.kill();
      await until(() => clients.every(({ status }) => status !== "ready"), 30_000);
      // Gone: nothing; everything; half of the limit in each of two gateways.
      const expected = { closed: 0, open: 200, localShare: 40 }[mode];
      assert.equal(await admitted(ask(100)), expected);
      if (mode === "closed") {
        const refused = await both[0]?.admit(ACME);
        assert.ok(refused !== undefined && !refused.admitted && refused.why === "unavailable");
      }
      await server.restart();
      await until(() => clients.every(({ status }) => status === "ready"), 30_000);
      assert.equal(await admitted(ask(100)), 40, "and back: a new Redis knows nothing of before");
    });
  }

  for (const mode of ["closed", "open", "localShare"] as const) {
    it(`with Redis killed under load of 200 at once: ${mode}`, async (t) => {
      const limit = 3000;
      const server = await startRedis();
      t.after(() => server.close());
      const config = respond({ budgets: [{ ...HOURLY, limit }], onRedisFailure: mode, gateways: 2 });
      const clients = [await redisClient(t, server.url), await redisClient(t, server.url)];
      const both = clients.map((redis) => budgets(config, { redis }));
      let [served, refused, isOver] = [0, 0, false];
      const load = both.flatMap((one) =>
        Array.from({ length: 100 }, async () => {
          while (!isOver) {
            if ((await one.admit(ACME)).admitted) served += 1;
            else refused += 1;
            await sleep(20);
          }
        }),
      );
      await until(() => served >= 200, 30_000);
      const killed = server.kill();
      await until(() => clients.every(({ status }) => status !== "ready"), 30_000);
      await killed;
      // What was on its way as Redis went has its answer by then.
      await sleep(200);
      const [servedBefore, refusedBefore] = [served, refused];
      await until(() => served + refused >= servedBefore + refusedBefore + 1000, 30_000);
      isOver = true;
      await Promise.all(load);
      if (mode === "closed") assert.equal(served, servedBefore, "nothing that is budgeted");
      else if (mode === "open") assert.equal(refused, refusedBefore, "everything");
      else assert.ok(served <= 2 * limit, `${served}: the limit, and each gateway's half of it again`);
      if (mode !== "open") assert.ok(servedBefore <= limit + (mode === "localShare" ? limit : 0));
    });
  }

  it("hear of new verdicts, also after Redis was away", async (t) => {
    const server = await startRedis();
    t.after(() => server.close());
    let heard = 0;
    const options = {
      config: { url: server.url, password: null, timeoutMs: 30_000 },
      readSecret: async () => "",
      onLost: () => {},
    };
    const subscriber = await hearNews(options, () => {
      heard += 1;
    });
    t.after(() => subscriber.disconnect());
    await until(() => heard === 1, 30_000);
    await tellNews(await redisClient(t, server.url));
    await until(() => heard === 2, 30_000);
    await server.restart();
    await until(() => heard >= 3, 30_000);
  });
});

describe("the extraction model", () => {
  const target: CopyTarget = { kind: "capability", hiddenSize: 4096, vocabulary: 128_000 };

  it("sizes a budget by the share of a copy, unless a limit is given", () => {
    const budget = { unit: "requests", limit: null, copyShare: 0.05 } as const;
    assert.equal(limitOf(budget, target), 2600);
    assert.equal(limitOf({ ...budget, limit: 7 }, target), 7);
    assert.equal(limitOf({ ...budget, copyShare: 1e-9 }, target), 1);
    assert.equal(copyNeeds({ ...target, kind: "outputLayer" }).requests, 4097);
    assert.equal(copyNeeds({ ...target, kind: "classifier", vocabulary: 10 }).requests, 500);
    assert.equal(copyNeeds({ ...target, kind: "embedding" }).requests, 8192);
  });

  it("says how long a copy takes at least: more accounts, less time; a lower limit, more", () => {
    const budget = { unit: "requests", windowSeconds: 86_400 } as const;
    const days = (limit: number, accounts: number): number =>
      secondsToCopy(budget, { limit, accounts, target }) / 86_400;
    assert.equal(days(2600, 1), 19);
    assert.equal(days(2600, 20), 0);
    assert.equal(days(26, 20), 99);
  });
});

it("a caller's scopes come from who was authenticated", () => {
  assert.deepEqual(
    (["endUser", "account", "organization", "campaign", "global"] as const).map((scope) =>
      scopeKey(scope, ACME),
    ),
    [null, "account:acme", "organization:Acme", null, "global"],
  );
});
