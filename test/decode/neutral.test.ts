// The neutral form: what is read, what is refused, and with which words.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readNeutralAccount, readNeutralExchange } from "../../src/core/decode/neutral.ts";

const LINE = {
  id: "x1",
  time: "2026-03-02T00:00:18.274Z",
  account: "acct_1",
  key: "key_1",
  client: {
    ip: "192.0.2.1",
    asn: 64500,
    country: "US",
    user_agent: "ua",
    ja4: "t13",
    headers: ["Host", "accept"],
  },
  endpoint: "/v1/chat/completions",
  request: { model: "m", messages: [] },
  response: {
    status: 200,
    text: "ok",
    finish_reason: "stop",
    usage: { prompt_tokens: 3, completion_tokens: 1 },
  },
  latency_ms: 280,
};

const reasonOf = (change: object): string => {
  const result = readNeutralExchange(JSON.stringify({ ...LINE, ...change }));
  return "reason" in result ? result.reason : "accepted";
};

describe("neutral exchanges", () => {
  test("a full line", () => {
    const result = readNeutralExchange(JSON.stringify(LINE));
    assert.ok("value" in result);
    assert.equal(result.value.closedAtMs - result.value.openedAtMs, 280);
    assert.deepEqual(result.value.client.headers, ["host", "accept"]);
    assert.deepEqual(result.value.answer, {
      status: 200,
      text: "ok",
      finishReason: "stop",
      toolCalls: [],
      usage: { promptTokens: 3, completionTokens: 1 },
    });
  });

  test("the shortest line", () => {
    const { id, time, account, request } = LINE;
    const result = readNeutralExchange(
      JSON.stringify({ id, time, account, request, response: { status: 500, text: "" } }),
    );
    assert.ok("value" in result);
    assert.equal(result.value.endpoint, "/v1/chat/completions");
    assert.equal(result.value.answer.usage, null);
  });

  test("what is wrong is said without quoting the line", () => {
    assert.equal(
      reasonOf({ time: "yesterday" }),
      "expected time to be an ISO 8601 time from 1970 to 9998, got string",
    );
    assert.equal(reasonOf({ id: "" }), "expected id to be 1 to 200 visible ASCII characters, got string");
    assert.equal(reasonOf({ request: "secret prompt" }), "expected request to be an object, got string");
    assert.equal(reasonOf({ response: { status: 200 } }), "expected response.text to be a text, got nothing");
    assert.equal(reasonOf({ latency_ms: -1 }), "expected latency_ms to be milliseconds up to a day, got -1");
    assert.equal(reasonOf({ client: [] }), "expected client to be an object, got an array");
    assert.deepEqual(readNeutralExchange("{"), { reason: "expected a JSON object" });
    assert.deepEqual(readNeutralExchange("[".repeat(1e5)), { reason: "expected a JSON object" });
  });

  test("half characters are repaired, so that every text can be hashed and stored", () => {
    const result = readNeutralExchange(
      JSON.stringify({ ...LINE, response: { status: 200, text: "a\ud800" } }),
    );
    assert.ok("value" in result);
    assert.equal(result.value.answer.text, "a\ufffd");
  });

  test("no line makes it throw", () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(LINE)), value, (name, other) => {
        readNeutralExchange(JSON.stringify({ ...LINE, [name]: other }));
        readNeutralExchange(
          JSON.stringify({ ...LINE, response: { ...LINE.response, [name]: other, usage: other } }),
        );
      }),
    );
    fc.assert(fc.property(fc.string(), (line) => void readNeutralExchange(line)));
  });
});

describe("neutral accounts", () => {
  test("facts in snake case; what is absent is null", () => {
    assert.deepEqual(readNeutralAccount('{"account":"a","created":"2026-01-02","email_domain":"x.org"}'), {
      value: {
        account: "a",
        created: "2026-01-02T00:00:00.000Z",
        plan: null,
        payment: null,
        emailDomain: "x.org",
        country: null,
        organization: null,
        declaredUse: null,
      },
    });
    assert.deepEqual(readNeutralAccount('{"account":"a","plan":7}'), {
      reason: "expected plan to be a text, got 7",
    });
  });
});
