// What several detectors say of one campaign is one finding, whoever speaks first and whoever brings the parts together.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Assertion } from "../../src/detect/assertion.ts";
import { joinCampaigns } from "../../src/detect/join-campaigns.ts";

function claim(detector: string, accounts: readonly string[], pValue: number): Assertion {
  return {
    ...{ kind: "campaign", detector, technique: "AML.T0024.002", accounts, pValue, eValue: null },
    ...{ errorRate: "", summary: `${accounts.length} accounts by ${detector}.`, contributions: [] },
    anchor: accounts[0] ?? "",
  };
}

const accounts = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `account-${String(from + index).padStart(2, "0")}`);

test("two halves of a fleet are one campaign when a third claim holds both, in whatever order they come", () => {
  const halves = [claim("wording", accounts(0, 12), 1e-9), claim("wording", accounts(12, 24), 1e-8)];
  const whole = claim("links", accounts(0, 24), 1e-4);
  const other = claim("alike", accounts(40, 50), 1e-5);
  for (const order of [
    [...halves, whole, other],
    [whole, other, ...halves],
    [other, halves[1], whole, halves[0]],
  ]) {
    const joined = joinCampaigns(order.filter((one) => one !== undefined));
    assert.deepEqual(
      joined.map(({ detector, accounts: members }) => [detector, members.length]),
      [
        ["wording", 24],
        ["alike", 10],
      ],
    );
    assert.equal(joined[0]?.summary, "24 accounts act as one. 12 accounts by wording.");
    assert.equal(joined[0]?.contributions.length, 2);
    assert.equal(joined[1]?.summary, "10 accounts by alike.");
  }
});

test("what shares less than half stays apart, and claims about one account are not joined", () => {
  const few = [claim("a", accounts(0, 10), 1e-6), claim("b", accounts(6, 16), 1e-5)];
  assert.equal(joinCampaigns(few).length, 2);
  const single = { ...claim("c", accounts(0, 1), 1e-7), kind: "account" as const };
  assert.deepEqual(
    joinCampaigns([...few, single]).map(({ detector }) => detector),
    ["c", "a", "b"],
  );
});
