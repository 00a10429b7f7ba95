// Measures as customers meet them: official clients, each API's own errors, and never a changed answer.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { SignJWT } from "jose";
import OpenAI from "openai";
import { json, streamed } from "../helpers/upstream.ts";
import { type Enforcing, startEnforcing } from "./enforcing.ts";

const ANSWER = {
  id: "c1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [
    { index: 0, finish_reason: "stop", logprobs: null, message: { role: "assistant", content: "Hello." } },
  ],
  usage: { prompt_tokens: 9, completion_tokens: 40, total_tokens: 49 },
};
const QUESTION = { model: "m", messages: [{ role: "user" as const, content: "Say hello." }] };

async function ask(
  { url }: Enforcing,
  key: string,
  body: unknown = QUESTION,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

async function gateway(t: TestContext, respond: Record<string, unknown> = {}): Promise<Enforcing> {
  return await startEnforcing(t, { respond, upstream: json(ANSWER) });
}

describe("without a measure", () => {
  it("nothing is added, taken away or said", async (t) => {
    const it = await gateway(t);
    const key = await it.key("acme");
    const body = '{"model":"m", "logprobs":true,"n":3,"messages":[]}';
    const response = await ask(it, key, body);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), JSON.stringify(ANSWER));
    assert.equal(it.upstream.seen[0]?.body.toString(), body);
    assert.deepEqual(
      [...response.headers.keys()].filter((name) => /^(adyton|ratelimit)/.test(name)),
      [],
    );
  });

  it("others' measures are not felt, and shadow mode enforces nothing", async (t) => {
    const it = await gateway(t);
    const [acme, other] = [await it.key("acme"), await it.key("other")];
    await it.measure("quarantine", ["other"]);
    assert.equal((await ask(it, acme)).status, 200);
    assert.equal((await ask(it, other)).status, 403);
    const shadow = await gateway(t, { mode: "shadow" });
    const key = await shadow.key("acme");
    await shadow.measure("quarantine", ["acme"]);
    assert.equal((await ask(shadow, key)).status, 200);
  });
});

describe("a budget of end users", () => {
  it("limits the user whom the tenant names and signs, and nobody by an unsigned word", async (t) => {
    const user = { name: "user", scope: "endUser", unit: "requests", windowSeconds: 3600, limit: 2 };
    const it = await gateway(t, { budgets: [user] });
    const key = await it.key("tenant", "acme");
    const pair = generateKeyPairSync("ed25519");
    const publicKey = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
    await it.state.organizations.put({ organization: "acme" });
    const { id: kid } = await it.state.endUserKeys.create({ organization: "acme", publicKey });
    await it.settled();
    const statuses = async (value: string): Promise<number[]> => {
      const all = [];
      for (let count = 0; count < 3; count += 1)
        all.push((await ask(it, key, QUESTION, { "adyton-end-user": value })).status);
      return all;
    };
    const signed = async (sub: string): Promise<string> =>
      await new SignJWT({ sub })
        .setProtectedHeader({ alg: "EdDSA", kid })
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(pair.privateKey);
    assert.deepEqual(await statuses(await signed("u-1")), [200, 200, 429]);
    assert.deepEqual(await statuses(await signed("u-2")), [200, 200, 429]);
    assert.deepEqual(await statuses("u-1"), [200, 200, 200], "a word that anybody can write limits nobody");
  });
});

describe("quarantine", () => {
  it("refuses every key of the account in the API's own shape, with reason and reference, and records it", async (t) => {
    const it = await gateway(t, { appeals: { publicUrl: "https://api.example.com/" } });
    const keys = [await it.key("acme"), await it.key("acme")];
    const { references } = await it.measure("quarantine", ["acme", "mate"]);
    const address = `https://api.example.com/adyton/appeals/${references.get("acme")}`;
    for (const apiKey of keys) {
      const client = new OpenAI({ apiKey, baseURL: `${it.url}/v1`, maxRetries: 2 });
      await assert.rejects(client.chat.completions.create(QUESTION), (error) => {
        assert.ok(error instanceof OpenAI.PermissionDeniedError);
        assert.equal(error.code, "gateway.quarantined");
        assert.equal(error.headers?.get("adyton-measure"), "quarantine");
        assert.equal(error.headers?.get("adyton-reason"), "unusual-use");
        assert.equal(error.headers?.get("adyton-appeal"), address);
        assert.ok(error.message.includes(address));
        return true;
      });
    }
    const anthropic = new Anthropic({ apiKey: keys[0] ?? "", baseURL: it.url, maxRetries: 0 });
    await assert.rejects(
      anthropic.messages.create({ ...QUESTION, max_tokens: 5 }),
      (error) => error instanceof Anthropic.PermissionDeniedError && error.message.includes(address),
    );
    assert.equal(it.upstream.seen.length, 0);
    assert.equal(it.log.durableCloses, 3);
    assert.ok(
      it.log.closes.every(({ figures }) => figures.code === "gateway.quarantined" && figures.status === 403),
    );
  });

  it("ends at once when it is lifted, or when one account is released", async (t) => {
    const it = await gateway(t);
    const [acme, mate] = [await it.key("acme"), await it.key("mate")];
    const { verdict } = await it.measure("quarantine", ["acme", "mate"]);
    const step = { by: "user:ada", note: "verified" };
    await it.state.verdicts.release(verdict, "acme", step);
    await it.settled();
    assert.equal((await ask(it, acme)).status, 200);
    assert.equal((await ask(it, mate)).status, 403);
    await it.state.verdicts.lift(verdict, step);
    await it.settled();
    assert.equal((await ask(it, mate)).status, 200);
  });

  it("tells nothing of other accounts, detectors or numbers", async (t) => {
    const it = await gateway(t);
    const key = await it.key("acme");
    const { verdict, references } = await it.measure("quarantine", ["acme", "mate"]);
    const refused = await ask(it, key);
    const page = await fetch(`${it.url}/adyton/appeals/${references.get("acme")}`, {
      headers: { accept: "text/html" },
    });
    const said = [await refused.text(), JSON.stringify([...refused.headers]), await page.text()].join();
    for (const secret of [verdict, "mate", "campaign", references.get("mate") ?? "", "detector"]) {
      assert.ok(!said.includes(secret), secret);
    }
  });
});

describe("verify", () => {
  it("refuses and says which step is asked for", async (t) => {
    const it = await gateway(t, {
      verify: { instructions: "Sign the agreement at https://example.com/sign." },
    });
    const key = await it.key("acme");
    await it.measure("verify", ["acme"]);
    const response = await ask(it, key);
    assert.equal(response.status, 403);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "gateway.verification-required");
    assert.match(error.message, /Sign the agreement/);
  });
});

describe("reduce", () => {
  it("leaves out what a copier needs, says so in the answer and the record, and changes nothing else", async (t) => {
    const it = await gateway(t);
    const key = await it.key("acme");
    await it.measure("reduce", ["acme"]);
    const asked =
      '{"model":"m","n":4,"seed":12345678901234567890,"logprobs":true,"top_logprobs":20,"messages":[]}';
    const response = await ask(it, key, asked);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), JSON.stringify(ANSWER), "the answer is the model's own");
    assert.equal(response.headers.get("adyton-measure"), "reduce");
    assert.equal(response.headers.get("adyton-reason"), "unusual-use");
    assert.equal(
      it.upstream.seen[0]?.body.toString(),
      '{"model":"m","seed":12345678901234567890,"messages":[]}',
    );
    assert.equal(it.log.opens[0]?.body.toString(), asked, "the record holds what was asked");
    assert.ok(
      it.log.closes[0]?.headers.some(([name, value]) => name === "adyton-measure" && value === "reduce"),
    );
  });

  it("lets a stream through as it is", async (t) => {
    const events = ['data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n', "data: [DONE]\n\n"];
    const it = await startEnforcing(t, { upstream: streamed(events) });
    const key = await it.key("acme");
    await it.measure("reduce", ["acme"]);
    const response = await ask(it, key, { ...QUESTION, stream: true, logprobs: true });
    assert.equal(await response.text(), events.join(""));
    assert.equal(response.headers.get("adyton-measure"), "reduce");
  });

  it("does not let through what it can't read surely", async (t) => {
    const it = await gateway(t);
    const key = await it.key("acme");
    await it.measure("reduce", ["acme"]);
    const text = JSON.stringify({ ...QUESTION, logprobs: true });
    for (const [body, headers] of [
      [Buffer.from(text, "utf16le"), {}],
      [Buffer.from(`\ufeff${text}`), {}],
      [text, { "content-encoding": "gzip" }],
    ] as const) {
      const response = await ask(it, key, body, headers);
      assert.equal(response.status, 400);
      const { error } = (await response.json()) as { error: { code: string } };
      assert.equal(error.code, "gateway.not-reducible");
      assert.equal(response.headers.get("adyton-measure"), "reduce");
    }
    assert.equal(it.upstream.seen.length, 0);
  });
});

describe("budgets", () => {
  it("of requests hold under 200 connections at once, exactly", async (t) => {
    const budget = { name: "hourly", scope: "account", unit: "requests", windowSeconds: 3600, limit: 75 };
    const it = await gateway(t, { budgets: [budget] });
    const key = await it.key("acme");
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await ask(it, key);
        await response.arrayBuffer();
        return response;
      }),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 75);
    assert.equal(it.upstream.seen.length, 75);
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 125);
    for (const { headers } of refused) {
      assert.equal(headers.get("adyton-code"), "gateway.budget-spent");
      assert.equal(headers.get("ratelimit-remaining"), "0");
      assert.ok(Number(headers.get("retry-after")) > 0);
    }
    const left = answers
      .filter(({ status }) => status === 200)
      .map(({ headers }) => headers.get("ratelimit-remaining"));
    assert.equal(new Set(left).size, 75, "each was told what is left after it");
  });

  it("of tokens refuse after the answer that spent them, also one whose client left early", async (t) => {
    const budget = {
      name: "tokens",
      scope: "organization",
      unit: "outputTokens",
      windowSeconds: 3600,
      limit: 100,
    };
    const it = await gateway(t, { budgets: [budget] });
    const [one, two] = [await it.key("one", "Acme"), await it.key("two", "Acme")];
    const free = await it.key("free");
    const statuses: number[] = [];
    for (const key of [one, two, one, two, free]) {
      const response = await ask(it, key, QUESTION, { "accept-encoding": "gzip" });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 200]);
    assert.ok(it.upstream.seen.slice(0, 3).every(({ headers }) => headers["accept-encoding"] === undefined));
  });
});

describe("an appeal", () => {
  it("goes from the refused call to the lifted measure", async (t) => {
    const it = await gateway(t, { appeals: { contact: "help@example.com" } });
    const key = await it.key("acme");
    await it.measure("quarantine", ["acme"]);
    const path = (await ask(it, key)).headers.get("adyton-appeal") ?? "";
    const read = async (): Promise<Record<string, unknown>> =>
      (await (await fetch(`${it.url}${path}`)).json()) as Record<string, unknown>;
    const view = await read();
    assert.deepEqual(
      [view["measure"], view["reason"], view["holds"], view["may_object"], view["contact"]],
      ["quarantine", "unusual-use", true, true, "help@example.com"],
    );
    const say = async (body: string, type: string): Promise<Response> =>
      await fetch(`${it.url}${path}`, { method: "POST", body, headers: { "content-type": type } });
    assert.equal((await say('{"statement":""}', "application/json")).status, 400);
    assert.equal((await say('{"statement":"We evaluate models."}', "application/json")).status, 200);
    assert.equal((await say('{"statement":"Again."}', "application/json")).status, 409);
    const [appeal] = (await it.state.appeals.list()).items;
    assert.equal(appeal?.statement, "We evaluate models.");
    const decision = { outcome: "granted", by: "user:ada", reason: "You do." } as const;
    await it.state.appeals.decide(appeal?.id ?? "", decision);
    await it.settled();
    assert.equal((await ask(it, key)).status, 200);
    const after = await read();
    assert.equal(after["holds"], false);
    assert.deepEqual(after["statements"], [
      { filed: new Date(appeal?.filedMs ?? 0).toISOString(), status: "granted", answer: "You do." },
    ]);
  });

  it("is served to whoever has the reference, and to nobody else", async (t) => {
    const it = await gateway(t);
    const unknown = `${it.url}/adyton/appeals/ap_${"0".repeat(32)}`;
    assert.equal((await fetch(unknown)).status, 404);
    assert.equal((await fetch(`${it.url}/adyton/appeals/`)).status, 404);
    assert.equal((await fetch(unknown, { method: "DELETE" })).status, 405);
    const page = await fetch(unknown, { headers: { accept: "text/html" } });
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(page.headers.get("referrer-policy"), "no-referrer");
    const long = `statement=${"x".repeat(70_000)}`;
    assert.equal((await fetch(unknown, { method: "POST", body: long })).status, 413);
  });

  it("shows a hostile statement or answer as text", async (t) => {
    const it = await gateway(t);
    await it.key("acme");
    const { references } = await it.measure("quarantine", ["acme"]);
    const reference = references.get("acme") ?? "";
    const appeal = await it.state.appeals.file(reference, "<script>alert(1)</script>");
    const reason = `<img src=x onerror="alert(1)">'&`;
    await it.state.appeals.decide(appeal.id, { outcome: "refused", by: "user:ada", reason });
    const page = await fetch(`${it.url}/adyton/appeals/${reference}`, { headers: { accept: "text/html" } });
    const html = await page.text();
    assert.ok(!html.includes("<img") && !html.includes("<script"));
    assert.ok(html.includes("&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#39;&#38;"));
  });
});

it("a client that names a victim in user or metadata harms nobody", async (t) => {
  const it = await gateway(t, {
    budgets: [{ name: "few", scope: "account", unit: "requests", windowSeconds: 3600, limit: 2 }],
  });
  const [attacker, victim] = [await it.key("attacker"), await it.key("victim")];
  await it.measure("quarantine", ["someone-else"]);
  const body = { ...QUESTION, user: "victim", metadata: { user_id: "victim", account: "victim" } };
  for (let count = 0; count < 5; count += 1)
    await (await ask(it, attacker, body, { "x-user": "victim" })).arrayBuffer();
  assert.equal((await ask(it, victim)).status, 200);
});

it("clients that leave while a counter is asked leave no place taken", async (t) => {
  const it = await gateway(t, { budgets: [{ name: "b", scope: "account", unit: "requests", limit: 1000 }] });
  const key = await it.key("acme");
  const leaving = Array.from({ length: 20 }, async () => {
    const stop = new AbortController();
    const asked = fetch(`${it.url}/v1/chat/completions`, {
      ...{ method: "POST", signal: stop.signal, body: JSON.stringify(QUESTION) },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    stop.abort();
    await asked.catch(() => {});
  });
  await Promise.all(leaving);
  assert.equal((await ask(it, key)).status, 200);
});
