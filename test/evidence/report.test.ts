// Proves that the report's figures are read by people: rounded, times shortened, the fleet's lines untangled, events in order.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { figure, readable } from "../../src/evidence/report/figures.ts";
import { layOut } from "../../src/evidence/report/fleet-layout.ts";
import { openBundle } from "./forger.ts";
import { type CaseScene, caseScene } from "./scene.ts";

test("figures have three significant digits, and powers of ten are written out", () => {
  const shown: [value: number, text: string][] = [
    [0.00010771203867124595, "1.08 × 10⁻⁴"],
    [0.0581037, "0.0581"],
    [1.14e-11, "1.14 × 10⁻¹¹"],
    [1.2e12, "1.2 × 10¹²"],
    [1478.2, "1,480"],
    [0, "0"],
    [-2.5e-7, "-2.5 × 10⁻⁷"],
    [Number.POSITIVE_INFINITY, "beyond computing"],
  ];
  for (const [value, text] of shown) assert.equal(figure(value), text);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const digits = figure(value).replace(/ × .*/, "").replace(/[-,.]/g, "").replace(/^0+/, "");
      assert.ok(digits.replace(/0+$/, "").length <= 3, `${value}: ${figure(value)}`);
    }),
  );
});

test("a detector's text is rounded; names, ids and whole numbers stay as they are", () => {
  const texts: [from: string, to: string][] = [
    ["6 of 6, pooled. p = 0.0005810375635143168", "6 of 6, pooled. p = 5.81 × 10⁻⁴"],
    ["between-account share 5.6e-5, p = 0", "between-account share 5.6 × 10⁻⁵, p too small to compute"],
    ["p = 0.25", "p = 0.25"],
    [
      "5191 distinct inputs since 2026-03-04T00:13:45.250Z",
      "5191 distinct inputs since 2026-03-04 00:13 UTC",
    ],
    ["2 (keyed hashes) 13539365967076844267", "2 (keyed hashes) 135393…"],
    ["acct_45e54729078c9721 and pm_1e5.12345678", "acct_45e54729078c9721 and pm_1e5.12345678"],
    ["version 1.2.34567", "version 1.2.34567"],
  ];
  for (const [from, to] of texts) assert.equal(readable(from), to);
});

test("accounts with the same facts lie together, so that their lines do not cross", () => {
  const fact = (value: string, accounts: string[]) => ({ kind: "means of payment", value, accounts });
  const odd = ["a1", "a3", "a5", "a7"];
  const even = ["a2", "a4", "a6", "a8"];
  const { lines, texts } = layOut({
    accounts: [...odd, ...even].sort(),
    facts: [fact("one", odd), fact("two", even)],
    accountsLeftOut: 0,
    factsLeftOut: 0,
  });
  for (const one of lines)
    for (const other of lines) assert.ok((one.y1 - other.y1) * (one.y2 - other.y2) >= 0, "two lines cross");
  assert.equal(new Set(lines.map(({ color }) => color)).size, 2);
  for (const { text } of texts) assert.ok(text.length <= 42, text);
});

describe("a case's report", () => {
  let scene: CaseScene;
  let html = "";
  before(async () => {
    scene = await caseScene();
    const { files } = await openBundle((await scene.export()).bytes);
    html = new TextDecoder().decode(files.get("data/report/report.html"));
  });
  after(() => scene.end());

  test("tells the events in the order of time, each account's days, and what was known of the accounts", () => {
    const timeline = html.slice(
      html.indexOf("Facts: timeline"),
      html.indexOf("Facts: what the records show"),
    );
    const times = [...timeline.matchAll(/class="date">(\d{4}-\d\d-\d\d \d\d:\d\d UTC)</g)].map(
      ([, at]) => at,
    );
    assert.ok(times.length >= 5, timeline);
    assert.deepEqual(times, [...times].sort());
    assert.match(timeline, /The first of the accounts signed up/);
    assert.match(timeline, /Requests of each account on each day/);
    for (const account of scene.scene.fleet) assert.ok(timeline.includes(account), account);
    for (const { account } of scene.scene.facts)
      if (!scene.scene.fleet.includes(account)) assert.ok(!html.includes(account), account);
  });

  test("says what the program concluded as its opinion, and with which tool and authority the case was kept", () => {
    const [finding] = scene.scene.findings;
    assert.ok(finding !== undefined);
    const short = html.slice(html.indexOf("In short"), html.indexOf("Facts: timeline"));
    assert.match(short, /One opinion of a computer program: “/);
    assert.match(html, /All entries were made with adyton 0\.0\.0-test, under the authority: terms of use/);
    const numbers = html.replace(/<style>.*<\/style>/s, "").match(/\d+\.\d{5,}/g) ?? [];
    assert.deepEqual(numbers, [], "no figure has more digits than people read");
  });
});
