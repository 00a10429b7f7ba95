// The commands of response as a person calls them: policy, verdicts, appeals, alerts, budgets.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Finding } from "../../src/core/finding.ts";
import { parsePolicy, policyHash, STANDARD_POLICY } from "../../src/respond/policy.ts";
import type { Appeal } from "../../src/state/appeals.ts";
import { hearNews } from "../../src/state/redis.ts";
import { State } from "../../src/state/state.ts";
import type { Verdict, VerdictMember } from "../../src/state/verdict-rows.ts";
import { Place } from "../cli/run.ts";
import { until } from "../gateway/harness.ts";
import { startRedis } from "../helpers/redis.ts";
import { smallWorld } from "../helpers/small-world.ts";
import { json, startUpstream } from "../helpers/upstream.ts";

const FINDING: Finding = {
  ...{ id: "campaign-1", kind: "campaign", detector: "campaign/test", accounts: ["a", "b", "c"] },
  ...{
    timeMs: 0,
    pValue: 1e-6,
    errorRate: "1 in 100",
    technique: null,
    summary: "linked",
    contributions: [],
  },
};

describe("the commands of response", () => {
  const place = new Place();

  before(async () => {
    const state = await State.open({ folder: place.data });
    await state.findings.upsert([FINDING]);
    await state.close();
  });
  after(() => place.end());

  it("policy: shows what it then accepts, says what is wrong, and tries it on what was found", async () => {
    const shown = await place.adyton("policy show");
    assert.equal(policyHash(parsePolicy(shown.out)), policyHash(STANDARD_POLICY));
    await writeFile(join(place.folder, "own.yaml"), shown.out.replace("quarantine", "slow"));
    assert.equal((await place.adyton("policy check own.yaml")).code, 0);
    await writeFile(join(place.folder, "wrong.yaml"), "version: 1\nrules: [{id: a, measure: ban}]");
    const wrong = await place.adyton("policy check wrong.yaml");
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /respond\.policy-invalid: wrong\.yaml: rules\.0\.measure/);
    const standard = (await place.json("policy test")) as {
      outcomes: { measure: string; accounts: string[] }[];
    };
    assert.deepEqual(standard.outcomes[0]?.accounts, ["a", "b", "c"]);
    assert.equal(standard.outcomes[0]?.measure, "quarantine");
    const own = (await place.json("policy test own.yaml")) as typeof standard;
    assert.equal(own.outcomes[0]?.measure, "slow");
    const text = await place.adyton("policy test");
    assert.match(text.out, /^campaign-1 +campaign +open +campaign +quarantine +approver +30 +3 +– +a b c$/m);
    assert.match(text.out, /strongest measure that names it: quarantine 3\. Nothing was changed\./);
  });

  it("policy test: replays a file of findings, the latest word on each", async () => {
    const findings = [
      { id: "c-1", time: "2026-03-04T05:00:00.000Z", kind: "campaign", accounts: ["x", "y"], p: 0.001 },
      { id: "c-1", time: "2026-03-04T06:00:00.000Z", kind: "campaign", accounts: ["x", "y", "z"], p: 0.001 },
    ];
    await writeFile(join(place.folder, "found.json"), JSON.stringify({ findings }));
    const { outcomes } = (await place.json("policy test --findings found.json")) as {
      outcomes: { finding: string; measure: string; accounts: string[] }[];
    };
    assert.deepEqual(
      outcomes.map(({ finding, measure, accounts }) => [finding, measure, accounts.length]),
      [["c-1", "quarantine", 3]],
    );
  });

  it("policy test: counts in the store what was served, for rules that ask for it", async () => {
    const { exchanges } = smallWorld({ exchanges: 40, accounts: 2 });
    await writeFile(join(place.folder, "exchanges.jsonl"), exchanges.join("\n"));
    const data = join(place.folder, "served");
    assert.equal((await place.adyton(`--data ${data} replay exchanges.jsonl --findings found.json`)).code, 0);
    const state = await State.open({ folder: data });
    await state.findings.upsert([{ ...FINDING, accounts: ["acct_0", "acct_1"] }]);
    await state.close();
    const rules = [40, 41].map((least) => ({
      id: `from-${least}`,
      when: { exchangesAtLeast: least },
      measure: "slow",
    }));
    await writeFile(
      join(place.folder, "take.yaml"),
      JSON.stringify({ version: 1, rules: rules.toReversed() }),
    );
    const { outcomes } = (await place.json(`--data ${data} policy test take.yaml`)) as {
      outcomes: { rule: string; take: { exchanges: number } }[];
    };
    assert.deepEqual(
      outcomes.map(({ rule, take }) => [rule, take.exchanges]),
      [["from-40", 40]],
    );
  });

  it("verdicts: proposed, approved, released, lifted; appeals answered; precision kept", async () => {
    await place.json("accounts add acme");
    const propose = "verdicts propose --account acme --measure quarantine --note 'card reported stolen'";
    const { id, shadow } = (await place.json(propose)) as Verdict;
    assert.equal(shadow, true, "shadow mode is the default");
    const refused = await place.adyton(`verdicts approve ${id}`);
    assert.equal(refused.code, 2, "a decision needs a reason");
    const approved = (await place.json(`verdicts approve ${id} --note 'seen' --delay 1s`)) as Verdict;
    assert.equal(approved.status, "approved");
    const shown = (await place.json(`verdicts show ${id}`)) as {
      members: VerdictMember[];
      history: { by: string }[];
    };
    const account = (await place.json("accounts show acme")) as { verdicts: object[] };
    assert.deepEqual(account.verdicts, [
      { id, measure: "quarantine", status: "approved", shadow: true, isReleased: false },
    ]);
    const [member] = shown.members;
    assert.ok(member !== undefined);
    assert.ok(shown.history.every(({ by }) => by.startsWith("cli:")));

    const state = await State.open({ folder: place.data });
    const appeal = await state.appeals.file(member.reference, "It was found again.");
    await state.close();
    const { items } = (await place.json("appeals list")) as { items: Appeal[] };
    assert.deepEqual(
      items.map(({ statement }) => statement),
      ["It was found again."],
    );
    const answered = (await place.json(`appeals grant ${appeal.id} --reason 'Good.'`)) as Appeal;
    assert.equal(answered.status, "granted");
    const again = await place.adyton(`appeals refuse ${appeal.id} --reason 'No.'`);
    assert.equal(again.code, 1);
    assert.match(again.err, /appeal-step/);
    const released = await place.adyton(`verdicts release ${id} acme --note 'again'`);
    assert.match(released.err, /verdict-step/);
    const lifted = (await place.json(`verdicts lift ${id} --wrong --note 'all is well'`)) as Verdict;
    assert.equal(lifted.status, "lifted");
    assert.deepEqual(((await place.json("verdicts list")) as { items: unknown[] }).items, []);
    assert.match((await place.adyton("verdicts list")).out, /^No such verdict waits or holds\.$/m);
    assert.equal(((await place.json("verdicts list --all")) as { items: unknown[] }).items.length, 1);
    assert.deepEqual(await place.json("verdicts precision"), { detectors: [] }, "it rested on no detector");
    const unknown = await place.adyton("verdicts propose --account nobody --measure slow --note x");
    assert.match(unknown.err, /account-unknown/);
  });

  it("verdicts: the list says what holds until a proposal is decided", async () => {
    const state = await State.open({ folder: place.data });
    const { id } = await state.verdicts.propose({
      ...{ measure: "quarantine", reason: "unusual-use", shadow: false, lifeMs: 3_600_000, inheritLimit: 0 },
      ...{ accounts: ["meanwhile"], by: "system", finding: "campaign-1", detector: "campaign/test" },
      interim: { measure: "slow", fromMs: Date.now() - 1, untilMs: Date.now() + 3_600_000 },
    });
    const list = async (): Promise<string> => (await place.adyton("verdicts list --account meanwhile")).out;
    assert.match(await list(), /proposed +quarantine \(slow until then\) /);
    await state.verdicts.reject(id, { by: "user:ada", note: "no" });
    await state.close();
    assert.match(await list(), /^No such verdict/);
  });

  it("findings: a person adds accounts, and the verdict about it takes them in", async () => {
    await place.json("accounts add d");
    const add = await place.json("findings add campaign-1 d --note 'the same card'");
    assert.deepEqual((add as { finding: Finding }).finding.accounts, ["a", "b", "c", "d"]);
    assert.match((await place.adyton("findings add campaign-1 nobody --note x")).err, /account-unknown/);
    assert.equal((await place.adyton("findings add campaign-1 d")).code, 2, "it needs a reason");
  });

  it("decisions are told to other machines over Redis; without Redis the command says so and stands", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.close());
    const file = join(place.folder, "with-redis.yaml");
    const respond = { redis: { url: redis.url, timeoutMs: 30_000 }, pollMs: 60_000 };
    await writeFile(file, JSON.stringify({ data: place.data, respond }));
    const heard = { count: 0 };
    const config = { url: redis.url, password: null, timeoutMs: 30_000 };
    const news = await hearNews({ config, readSecret: async () => "", onLost: () => {} }, () => {
      heard.count += 1;
    });
    t.after(() => news.disconnect());
    await until(() => heard.count === 1, 30_000);
    await place.json("accounts add told");
    const { id } = (await place.json("verdicts propose --account told --measure slow --note x")) as Verdict;
    await place.json(`--config ${file} verdicts approve ${id} --note seen`);
    await until(() => heard.count === 2, 30_000);
    await redis.kill();
    const lifted = await place.adyton(`--config ${file} verdicts lift ${id} --note over`);
    assert.equal(lifted.code, 0);
    assert.match(lifted.err, /learn of it by their poll/);
  });

  it("alerts and budgets: a target is tried, limits are put against a copy", async () => {
    const receiver = await startUpstream(json({ ok: true }));
    try {
      const config = {
        data: place.data,
        respond: {
          alerts: { targets: [{ name: "oncall", kind: "webhook", url: receiver.url }] },
          budgets: [
            { name: "daily", scope: "account", unit: "requests", copyShare: 0.05 },
            { name: "layer", scope: "account", unit: "logprobEntries", copyShare: 0.01 },
          ],
        },
      };
      const file = join(place.folder, "with-target.yaml");
      await writeFile(file, JSON.stringify(config));
      assert.deepEqual(await place.json(`--config ${file} alerts test oncall`), { target: "oncall" });
      assert.equal(JSON.parse(receiver.seen[0]?.body.toString() ?? "").type, "adyton.test");
      receiver.behave = json({}, 500);
      assert.equal((await place.adyton(`--config ${file} alerts test oncall`)).code, 4);
      assert.equal((await place.adyton(`--config ${file} alerts test nobody`)).code, 2);
      const text = (await place.adyton(`--config ${file} budgets --accounts 20`)).out;
      assert.match(text, /^daily +account +requests +2,600 +1d +5\.0 % +none +gateway$/m);
      assert.match(text, /^none: 20 accounts together can draw a copy within the first window\.$/m);
      const { budgets } = (await place.json(`--config ${file} budgets --accounts 20`)) as {
        budgets: { limit: number; daysToCopy: number; kept: string }[];
      };
      assert.deepEqual(
        budgets.map(({ limit, daysToCopy, kept }) => [limit, daysToCopy, kept]),
        [
          [2600, 0, "gateway"],
          [5_242_880, 4, "store"],
        ],
      );
    } finally {
      await receiver.close();
    }
  });
});
