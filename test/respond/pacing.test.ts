// The measure `slow` as customers meet it: requests held until their turn, in order, within a bound, at nobody else's cost.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Pacing } from "../../src/gateway/pacing.ts";
import { type Admission, paceOf } from "../../src/state/budgets.ts";
import { json } from "../helpers/upstream.ts";
import { type Enforcing, startEnforcing } from "./enforcing.ts";

const ANSWER = { object: "chat.completion", choices: [{ index: 0, message: { content: "Hello." } }] };
const QUESTION = { model: "m", messages: [{ role: "user", content: "Say hello." }] };

async function paced(t: TestContext, { slow }: { slow: Record<string, number> }): Promise<Enforcing> {
  return await startEnforcing(t, { respond: { slow }, upstream: json(ANSWER) });
}

async function ask({ url }: Enforcing, key: string): Promise<Response> {
  return await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(QUESTION),
  });
}

describe("the measure slow", () => {
  it("gives all accounts of the verdict one pace, spread evenly", async (t) => {
    const it = await paced(t, { slow: { requests: 3, windowSeconds: 3600 } });
    const [one, two] = [await it.key("one"), await it.key("two")];
    await it.measure("slow", ["one", "two"]);
    const statuses: number[] = [];
    for (const key of [one, two, one]) statuses.push((await ask(it, key)).status);
    assert.deepEqual(statuses, [200, 429, 429], "three an hour are one every twenty minutes");
    const refused = await ask(it, two);
    assert.equal(refused.headers.get("adyton-code"), "gateway.slowed");
    const seconds = Number(refused.headers.get("retry-after"));
    assert.ok(seconds > 1100 && seconds <= 1260, String(seconds));
    assert.equal(refused.headers.get("adyton-measure"), "slow");
  });

  it("holds a request until its turn, and refuses at once what can't have one in time", async (t) => {
    const it = await paced(t, { slow: { requests: 60, windowSeconds: 60, maxWaitSeconds: 4 } });
    const [one, two, free] = [await it.key("one"), await it.key("two"), await it.key("free")];
    await it.measure("slow", ["one", "two"]);
    const startedMs = performance.now();
    const timed = async (key: string): Promise<{ status: number; ms: number; body: string }> => {
      const response = await ask(it, key);
      return { status: response.status, body: await response.text(), ms: performance.now() - startedMs };
    };
    const held = Promise.all(Array.from({ length: 10 }, (_, index) => timed(index % 2 === 0 ? one : two)));
    const others = await Promise.all(Array.from({ length: 5 }, () => timed(free)));
    const answers = await held;
    const served = answers.filter(({ status }) => status === 200).sort((a, b) => a.ms - b.ms);
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(served.length + refused.length, 10);
    const lastMs = served.at(-1)?.ms ?? 0;
    assert.ok(
      others.every(({ status, ms }) => status === 200 && ms < lastMs),
      "nobody else waits for the line",
    );
    assert.ok(served.length >= 3 && served.length <= 5, `${served.length} in four seconds`);
    served.forEach(({ ms, body }, index) => {
      assert.ok(ms >= index * 1000 - 50, `number ${index} came after ${ms} ms`);
      assert.equal(body, JSON.stringify(ANSWER), "the answer itself is the model's own");
    });
    assert.equal(it.upstream.seen.length, served.length + others.length);
  });

  it("spends no turn on clients who left", async (t) => {
    const it = await paced(t, { slow: { requests: 60, windowSeconds: 60, maxWaitSeconds: 10 } });
    const key = await it.key("one");
    await it.measure("slow", ["one"]);
    assert.equal((await ask(it, key)).status, 200);
    const leaving = new AbortController();
    const left = Array.from({ length: 4 }, () =>
      fetch(`${it.url}/v1/chat/completions`, {
        ...{ method: "POST", signal: leaving.signal, body: JSON.stringify(QUESTION) },
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      }).catch(() => null),
    );
    await sleep(200);
    leaving.abort();
    await Promise.all(left);
    const startedMs = performance.now();
    assert.equal((await ask(it, key)).status, 200);
    assert.ok(performance.now() - startedMs < 4000, "the four are not waited for");
    assert.equal(it.upstream.seen.length, 2);
  });
});

it("a campaign's budget holds for its accounts together before anybody decided, and for nobody else", async (t) => {
  const budget = { name: "campaign", scope: "campaign", unit: "requests", windowSeconds: 3600, limit: 2 };
  const it = await startEnforcing(t, { respond: { budgets: [budget] }, upstream: json(ANSWER) });
  const [one, two, other] = [await it.key("one"), await it.key("two"), await it.key("other")];
  await it.state.verdicts.propose({
    ...{ measure: "quarantine", reason: "unusual-use", shadow: false, lifeMs: 3_600_000, inheritLimit: 0 },
    ...{ accounts: ["one", "two"], by: "system", finding: "campaign-1", detector: "campaign/test" },
    interim: { measure: "reduce", fromMs: Date.now(), untilMs: Date.now() + 3_600_000 },
  });
  await it.settled();
  const statuses: number[] = [];
  for (const key of [one, two, one, other, other, other]) statuses.push((await ask(it, key)).status);
  assert.deepEqual(statuses, [200, 200, 429, 200, 200, 200]);
});

it("a customer who is slowed before anybody decided is told so, and can object", async (t) => {
  const it = await paced(t, { slow: { requests: 1, windowSeconds: 3600 } });
  const key = await it.key("one");
  const untilMs = Date.now() + 3_600_000;
  const proposed = await it.state.verdicts.propose({
    ...{ measure: "quarantine", reason: "unusual-use", shadow: false, lifeMs: 3_600_000, inheritLimit: 0 },
    ...{ accounts: ["one"], by: "system", finding: "campaign-1", detector: "campaign/test" },
    interim: { measure: "slow", fromMs: Date.now(), untilMs },
  });
  await it.settled();
  const served = await ask(it, key);
  assert.deepEqual([served.status, served.headers.get("adyton-measure")], [200, "slow"]);
  const refused = await ask(it, key);
  assert.equal(refused.headers.get("adyton-code"), "gateway.slowed");
  const page = `${it.url}${new URL(refused.headers.get("adyton-appeal") ?? "", it.url).pathname}`;
  const told = (await (await fetch(page)).json()) as Record<string, unknown>;
  assert.deepEqual([told["measure"], told["holds"], told["may_object"]], ["slow", true, true]);
  assert.equal(Date.parse(String(told["until"])), untilMs);
  const html = await (await fetch(page, { headers: { accept: "text/html" } })).text();
  assert.match(html, /A person has decided, at the latest 20/);
  const filed = await fetch(page, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify({ statement: "We are a school." }),
  });
  assert.equal(filed.status, 200);
  const [appeal] = (await it.state.appeals.list()).items;
  const decision = { outcome: "granted", by: "user:ada", reason: "a school indeed" } as const;
  await it.state.appeals.decide(appeal?.id ?? "", decision);
  await it.settled();
  const free = await ask(it, key);
  assert.deepEqual([free.status, free.headers.get("adyton-measure")], [200, null]);
  await it.state.verdicts.approve(proposed.id, { by: "user:ada", note: "the others", effectiveMs: 0 });
  await it.settled();
  assert.equal((await ask(it, key)).status, 200, "who was freed stays free when the rest is decided");
  const ended = (await (await fetch(page)).json()) as Record<string, unknown>;
  assert.equal(ended["holds"], false);
  assert.ok(Date.parse(String(ended["until"])) <= Date.now(), "it says when it ended");
});

describe("a line of held requests", () => {
  /** A pace of one turn each 20 ms, by real time. */
  function turns(): { take: (verdict: string) => Promise<Admission>; taken: number[] } {
    const taken: number[] = [];
    const take = async (): Promise<Admission> => {
      const nowMs = performance.now();
      const freeMs = (taken.at(-1) ?? Number.NEGATIVE_INFINITY) + 20;
      if (nowMs < freeMs)
        return {
          ...{ admitted: false, why: "spent", headers: [], retryAfterSeconds: 1 },
          retryAfterMs: freeMs - nowMs,
        };
      taken.push(nowMs);
      return { admitted: true, headers: [] };
    };
    return { take, taken };
  }

  it("is served in the order of arrival", async () => {
    const { take, taken } = turns();
    const pacing = new Pacing({ take, maxWaitMs: 20_000, intervalMs: 20, now: () => performance.now() });
    const order: number[] = [];
    const all = Array.from({ length: 20 }, async (_, index) => {
      assert.equal((await pacing.turn("v", () => false)).admitted, true);
      order.push(index);
    });
    await Promise.all(all);
    assert.deepEqual([pacing.held, taken.length], [0, 20]);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });

  it("holds no more than can be served in time", async () => {
    const { take, taken } = turns();
    const pacing = new Pacing({ take, maxWaitMs: 100, intervalMs: 20, now: () => performance.now() });
    const all = Array.from({ length: 40 }, async () => (await pacing.turn("v", () => false)).admitted);
    await setImmediate();
    assert.ok(pacing.held >= 1 && pacing.held <= 5, `${pacing.held} are held`);
    const admitted = (await Promise.all(all)).filter(Boolean).length;
    assert.ok(admitted >= 1 && admitted <= 6, String(admitted));
    assert.deepEqual([pacing.held, taken.length], [0, admitted]);
  });

  it("of one verdict does not wait for another's", async () => {
    const never: Admission = {
      ...{ admitted: false, why: "spent", headers: [], retryAfterSeconds: 1, retryAfterMs: 100 },
    };
    let freeAtMs = Number.POSITIVE_INFINITY;
    const take = async (verdict: string): Promise<Admission> =>
      verdict === "open" || performance.now() >= freeAtMs ? { admitted: true, headers: [] } : never;
    const pacing = new Pacing({ take, maxWaitMs: 5000, intervalMs: 100, now: () => performance.now() });
    const held = pacing.turn("shut", () => false);
    await sleep(20);
    assert.equal(pacing.held, 1);
    assert.equal((await pacing.turn("open", () => false)).admitted, true);
    freeAtMs = 0;
    assert.equal((await held).admitted, true);
  });

  it("spreads a pace evenly, and rounding never lets more through", () => {
    assert.deepEqual(paceOf({ requests: 6, windowSeconds: 60, maxWaitSeconds: 30 }), {
      requests: 1,
      windowSeconds: 10,
    });
    for (const requests of [1, 2, 7, 59, 60, 61, 1000, 1_000_000]) {
      for (const windowSeconds of [1, 7, 60, 3600, 86_400]) {
        const pace = paceOf({ requests, windowSeconds, maxWaitSeconds: 0 });
        assert.ok(pace.requests / pace.windowSeconds <= requests / windowSeconds + 1e-9);
        assert.ok(pace.windowSeconds >= 1 && pace.windowSeconds <= windowSeconds && pace.requests >= 1);
      }
    }
  });
});
