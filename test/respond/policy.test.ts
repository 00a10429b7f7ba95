// The policy as data: what is refused and where, which rule speaks, and that its hash is its version.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CliError } from "../../src/cli/errors.ts";
import { findingsOf } from "../../src/cli/policy/findings-file.ts";
import type { Finding } from "../../src/core/finding.ts";
import { asksForTake, ruleFor, type Subject } from "../../src/respond/choose.ts";
import { RespondError } from "../../src/respond/errors.ts";
import { loadPolicy, parsePolicy, policyHash, STANDARD_POLICY } from "../../src/respond/policy.ts";
import { effectiveMs } from "../../src/respond/responder.ts";

function finding(change: Partial<Finding> = {}): Finding {
  return {
    id: "campaign-1",
    kind: "campaign",
    detector: "campaign/linked-accounts",
    accounts: ["a", "b", "c", "d"],
    timeMs: 0,
    pValue: 0.001,
    errorRate: "one in a hundred",
    technique: null,
    summary: "four accounts",
    contributions: [],
    ...change,
  };
}

function subject(change: Partial<Finding> = {}, rest: Partial<Subject> = {}): Subject {
  const it = finding(change);
  return { finding: it, status: "open", accounts: it.accounts, take: null, ...rest };
}

describe("the standard policy", () => {
  it("asks an approver before anything that a customer could notice", () => {
    for (const { measure, approval } of STANDARD_POLICY.rules) {
      assert.equal(approval, measure === "observe" ? "none" : "approver");
    }
  });

  it("names measures by kind and evidence", () => {
    const measureOf = (change: Partial<Finding>): string | undefined =>
      ruleFor(STANDARD_POLICY, subject(change))?.measure;
    assert.equal(measureOf({}), "quarantine");
    assert.equal(measureOf({ pValue: 0.02 }), "observe");
    assert.equal(measureOf({ pValue: null, eValue: 100 }), "quarantine");
    assert.equal(measureOf({ pValue: null, eValue: 99 }), "observe");
    assert.equal(measureOf({ pValue: null }), "observe");
    assert.equal(measureOf({ accounts: ["a", "b"] }), "observe");
    assert.equal(measureOf({ kind: "probe", pValue: null }), "reduce");
    assert.equal(measureOf({ kind: "account" }), "observe");
  });
});

describe("a policy of one's own", () => {
  it("is YAML or JSON, and its hash does not depend on how it is written", () => {
    const yaml = "version: 1\nrules:\n  - id: all\n    measure: slow\n";
    const json = '{"rules":[{"measure":"slow","id":"all"}],"version":1}';
    assert.equal(policyHash(parsePolicy(yaml)), policyHash(parsePolicy(json)));
    assert.notEqual(policyHash(parsePolicy(yaml)), policyHash(STANDARD_POLICY));
    assert.match(policyHash(STANDARD_POLICY), /^[0-9a-f]{64}$/);
  });

  it("says what is wrong with it, all at once", () => {
    const wrong: readonly (readonly [string, string, RegExp])[] = [
      ["version: [1", "respond.policy-syntax", /line 1/],
      ["version: 2\nrules: []", "respond.policy-invalid", /version/],
      ["version: 1\nrules:\n  - id: a\n    measure: ban", "respond.policy-invalid", /rules\.0\.measure/],
      ["version: 1\nrules:\n  - id: a\n    measure: mark", "respond.policy-invalid", /rules\.0\.measure/],
      ["version: 1\nrules: []\nsurprise: 1", "respond.policy-invalid", /surprise/],
      [
        "version: 1\nrules:\n  - {id: a, measure: slow}\n  - {id: a, measure: slow}",
        "respond.policy-invalid",
        /rules\.1\.id/,
      ],
      ["version: 1\ndelayMinutes: {least: 9, most: 1}\nrules: []", "respond.policy-invalid", /delayMinutes/],
    ];
    for (const [text, code, message] of wrong) {
      assert.throws(
        () => parsePolicy(text),
        (error) => error instanceof RespondError && error.code === code && message.test(error.message),
      );
    }
  });

  it("lets a weaker measure hold until an approver decides, and nothing else", () => {
    const rule = (text: string): ReturnType<typeof parsePolicy> =>
      parsePolicy(`version: 1\nrules:\n  - {id: a, measure: quarantine, ${text}}`);
    const [first] = rule("untilDecided: {measure: slow}").rules;
    assert.deepEqual(first?.untilDecided, { measure: "slow", hours: 48 });
    assert.equal(rule("days: 1").rules[0]?.untilDecided, null);
    const wrong = [
      "untilDecided: {measure: quarantine}",
      "untilDecided: {measure: slow, hours: 0}",
      "untilDecided: {measure: slow}, approval: none",
    ];
    for (const text of wrong)
      assert.throws(
        () => rule(text),
        (error) => error instanceof RespondError && error.code === "respond.policy-invalid",
      );
    assert.throws(() =>
      parsePolicy("version: 1\nrules:\n  - {id: a, measure: slow, untilDecided: {measure: slow}}"),
    );
  });

  it("that can't be read is refused", async () => {
    await assert.rejects(
      loadPolicy("/nowhere/policy.yaml"),
      (error) => error instanceof RespondError && error.code === "respond.policy-not-readable",
    );
    assert.equal(await loadPolicy(null), STANDARD_POLICY);
    assert.throws(
      () => parsePolicy("- version: 1", "list.yaml"),
      (error) => error instanceof RespondError && error.message.startsWith("list.yaml: Invalid input"),
    );
  });

  it("speaks by the first rule that holds in all it says", () => {
    const policy = parsePolicy(`
version: 1
rules:
  - { id: big, measure: quarantine, when: { exchangesAtLeast: 1000, tokensAtLeast: 50000 } }
  - { id: sure, measure: verify, when: { confirmed: true, detectors: [campaign] } }
  - { id: exact, measure: slow, when: { detectors: [campaign/linked-accounts] } }
`);
    assert.ok(asksForTake(policy));
    const id = (change: Partial<Finding>, rest: Partial<Subject> = {}): string | undefined =>
      ruleFor(policy, subject(change, rest))?.id;
    assert.equal(id({}), "exact");
    assert.equal(id({ detector: "campaign/linked" }), undefined);
    assert.equal(id({}, { status: "confirmed" }), "sure");
    assert.equal(id({}, { status: "dismissed" }), undefined);
    assert.equal(id({}, { take: { exchanges: 1000, tokens: 50_000 } }), "big");
    assert.equal(id({}, { take: { exchanges: 1000, tokens: 49_999 } }), "exact");
    assert.equal(id({}, { accounts: [] }), undefined);
  });
});

it("a delay lies between its bounds, whatever is drawn", () => {
  const minutes = fc.integer({ min: 0, max: 43_200 });
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(minutes, minutes, draw, (one, other, random) => {
      const delayMinutes = { least: Math.min(one, other), most: Math.max(one, other) };
      const at = effectiveMs({ ...STANDARD_POLICY, delayMinutes }, { nowMs: 1000, random });
      assert.ok(at >= 1000 + delayMinutes.least * 60_000 && at <= 1000 + delayMinutes.most * 60_000);
    }),
    { numRuns: 200, seed: 7 },
  );
});

it("findings of a file are read with the latest word on each, and a wrong file is refused by what is wrong", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-findings-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "found.json");
  const found = { id: "c-1", time: "2026-03-04T05:00:00.000Z", kind: "campaign", accounts: ["x"], p: 0.1 };
  await writeFile(file, JSON.stringify({ findings: [found, { ...found, accounts: ["x", "y"] }] }));
  const findings = await findingsOf(file);
  assert.deepEqual(
    findings.map((one) => one.finding.accounts),
    [["x", "y"]],
  );
  for (const [text, reason] of [
    [null, /ENOENT/],
    ["version: 1", /not valid JSON/],
    ['{"findings":[{"id":1}]}', /findings\.0\.id/],
    ["[]", /the whole/],
  ] as const) {
    if (text === null) await rm(file);
    else await writeFile(file, text);
    await assert.rejects(findingsOf(file), (error) => {
      assert.ok(error instanceof CliError && error.code === "input-damaged");
      assert.match(error.message, reason);
      return true;
    });
  }
});
