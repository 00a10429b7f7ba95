// A gateway that stops owes an answer to everybody who is held under `slow`: told so at once, and written down.
import assert from "node:assert/strict";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../gateway/harness.ts";
import { json } from "../helpers/upstream.ts";
import { type Enforcing, startEnforcing } from "./enforcing.ts";

const ANSWER = { object: "chat.completion", choices: [{ index: 0, message: { content: "Hello." } }] };
const PATHS = ["/v1/chat/completions", "/v1/messages", "/api/chat", "/v2/models/m/infer"] as const;
/** More than Node takes in of a body that nobody reads. */
const LONG = "x".repeat(1024 * 1024);
const DRAIN_TIMEOUT_MS = 10_000;

interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly ms: number;
}

/** A gateway that serves the account every half minute, and holds what comes in between. */
async function held(t: TestContext, { account }: { account: string }): Promise<[Enforcing, string]> {
  const slow = { requests: 1, windowSeconds: 30, maxWaitSeconds: 300 };
  const it = await startEnforcing(t, {
    ...{ respond: { slow }, upstream: json(ANSWER), drainTimeoutMs: DRAIN_TIMEOUT_MS },
  });
  const key = await it.key(account);
  await it.measure("slow", [account]);
  return [it, key];
}

function post(it: Enforcing, agent: Agent, path: string, key: string, content = "Hello?"): Promise<Told> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const asking = request(`${it.url}${path}`, { method: "POST", agent, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers: got } = response;
        resolve({ status, headers: got, body, ms: performance.now() - startedMs });
      });
    });
    asking.on("error", reject);
    asking.end(JSON.stringify({ model: "m", messages: [{ role: "user", content }] }));
  });
}

describe("a gateway that stops", () => {
  it("answers everybody who is held, at once, in each API's shape, and writes it down", async (t) => {
    const [it, key] = await held(t, { account: "one" });
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    assert.equal((await post(it, agent, PATHS[0], key)).status, 200);
    const asked = [...PATHS, ...PATHS].map((path) => post(it, agent, path, key));
    const long = post(it, agent, PATHS[0], key, LONG);
    await until(() => it.worker.metrics.snapshot().requests === 10);
    await sleep(100);
    assert.equal(it.upstream.seen.length, 1, "all others are held");
    const stopMs = performance.now();
    const closed = it.worker.close();
    const told = await Promise.all([...asked, long]);
    await closed;
    const tookMs = performance.now() - stopMs;
    assert.ok(tookMs < DRAIN_TIMEOUT_MS / 2, `it took ${tookMs} ms to stop`);
    for (const { status, headers } of told) {
      assert.deepEqual(
        [status, headers["adyton-code"], headers["retry-after"], headers["connection"]],
        [503, "gateway.stopping", "1", "close"],
      );
      assert.equal(headers["adyton-measure"], undefined, "it is not the measure that refuses");
    }
    const [openai, anthropic, ollama, infer] = told.map(
      ({ body }) => JSON.parse(body) as Record<string, unknown>,
    );
    assert.match(JSON.stringify(openai?.["error"]), /"type":"server_error".*"code":"gateway.stopping"/);
    assert.match(JSON.stringify(anthropic?.["error"]), /"type":"overloaded_error"/);
    for (const plain of [ollama, infer]) assert.equal(plain?.["code"], "gateway.stopping");
    const refused = it.log.closes.filter(({ figures }) => figures.code === "gateway.stopping");
    assert.equal(refused.length, 9);
    assert.ok(refused.every(({ figures }) => figures.status === 503 && figures.outcome === "refused"));
    assert.equal(it.log.durableOpens, 10);
    assert.equal(it.log.durableCloses, 10);
    assert.equal(it.upstream.seen.length, 1, "nobody was served after the stop");
  });

  it("waits for nobody who left while held", async (t) => {
    const [it, key] = await held(t, { account: "one" });
    const agent = new Agent({ keepAlive: true });
    assert.equal((await post(it, agent, PATHS[0], key)).status, 200);
    const left = [1, 2, 3].map(() => post(it, agent, PATHS[0], key).catch(() => "left"));
    await until(() => it.worker.metrics.snapshot().requests === 4);
    await sleep(100);
    agent.destroy();
    assert.deepEqual(await Promise.all(left), ["left", "left", "left"]);
    const stopMs = performance.now();
    await it.worker.close();
    assert.ok(performance.now() - stopMs < DRAIN_TIMEOUT_MS / 2);
  });
});
