// The responder over real findings in the real state: what it proposes, lets inherit, ends and leaves alone.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { unknownAccount } from "../../src/core/account.ts";
import type { Act } from "../../src/core/acts.ts";
import type { Finding } from "../../src/core/finding.ts";
import { parsePolicy, policyHash, STANDARD_POLICY } from "../../src/respond/policy.ts";
import { PROPOSAL_LIFE_MS, Responder, type ResponderOptions } from "../../src/respond/responder.ts";
import { State } from "../../src/state/state.ts";
import { VerdictTable } from "../../src/state/verdict-table.ts";

const MINUTE_MS = 60_000;

interface Scene {
  readonly state: State;
  readonly table: VerdictTable;
  readonly acts: Act[];
  readonly clock: { nowMs: number };
  responder(change?: Partial<ResponderOptions>): Responder;
  find(accounts: readonly string[], change?: Partial<Finding>): Promise<void>;
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-responder-"));
  const clock = { nowMs: Date.UTC(2026, 2, 4) };
  const now = (): number => clock.nowMs;
  const state = await State.open({ folder, now });
  const table = await VerdictTable.open(state, { now, refreshMs: 3_600_000 });
  const acts: Act[] = [];
  const record = async (some: readonly Act[]): Promise<void> => {
    acts.push(...some);
  };
  t.after(async () => {
    table.close();
    await state.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    state,
    table,
    acts,
    clock,
    responder: (change = {}) =>
      new Responder({
        ...{ state, record, now, policy: STANDARD_POLICY, mode: "enforce", takeOf: null, random: () => 0.5 },
        ...change,
      }),
    find: async (accounts, change = {}) => {
      clock.nowMs += MINUTE_MS;
      const common = { errorRate: "1 in 100", technique: null, summary: "linked", contributions: [] };
      const finding: Finding = {
        ...{
          id: "campaign-1",
          kind: "campaign",
          detector: "campaign/test",
          timeMs: clock.nowMs,
          pValue: 1e-6,
        },
        ...{ ...common, accounts, ...change },
      };
      await state.findings.upsert([finding]);
    },
  };
}

describe("a campaign", () => {
  it("is quarantined as a whole after approval, and its replacements inherit at the next tick", async (t) => {
    const { state, table, acts, clock, responder, find } = await scene(t);
    const respond = responder();
    await find(["a", "b", "c"]);
    const { proposed } = await respond.tick();
    assert.deepEqual(
      proposed.map(({ measure, status, accounts, rule }) => ({ measure, status, accounts, rule })),
      [{ measure: "quarantine", status: "proposed", accounts: 3, rule: "campaign" }],
    );
    assert.equal((await respond.tick()).proposed.length, 0, "it is proposed once");
    assert.equal((await responder().tick()).proposed.length, 0, "also after a restart");

    const id = proposed[0]?.id ?? "";
    const effectiveMs = respond.effectiveMs();
    assert.equal(effectiveMs, clock.nowMs + 32.5 * MINUTE_MS, "least + half of what lies between");
    await state.verdicts.approve(id, { by: "user:ada", note: "one hand", effectiveMs });
    clock.nowMs = effectiveMs;
    await find(["a", "b", "c", "d", "e"]);
    const report = await respond.tick();
    assert.equal(report.joined, 2);
    await table.refresh();
    for (const account of ["a", "b", "c", "d", "e"]) {
      assert.equal(table.of(account)?.measure, "quarantine", account);
    }
    assert.equal(table.of("f"), null);
    const names = acts.map(({ act }) => act);
    assert.deepEqual(names, ["verdict.proposed", "verdict.joined", "verdict.joined", "verdict.in-effect"]);
  });

  it("grows without a person only as far as the rule says", async (t) => {
    const { state, responder, find } = await scene(t);
    const policy = parsePolicy("version: 1\nrules:\n  - {id: all, measure: quarantine, inheritUpTo: 1}");
    const respond = responder({ policy });
    await find(["a"]);
    await respond.tick();
    await find(["a", "b", "c", "d"]);
    assert.deepEqual((({ joined, held }) => ({ joined, held }))(await respond.tick()), {
      joined: 1,
      held: 2,
    });
    const { items } = await state.verdicts.list();
    assert.equal(items[0]?.accounts, 2);
  });

  it("that is dismissed ends its measure, however many younger findings there are", async (t) => {
    const { state, clock, responder, find } = await scene(t);
    const policy = parsePolicy(
      "version: 1\nrules:\n  - {id: c, measure: quarantine, when: {kinds: [campaign]}}",
    );
    const respond = responder({ policy });
    await find(["a", "b", "c"]);
    const [first] = (await respond.tick()).proposed;
    const step = { by: "user:ada", note: "one hand", effectiveMs: clock.nowMs };
    await state.verdicts.approve(first?.id ?? "", step);
    for (let number = 0; number < 1001; number += 1)
      await find([`x${number}`], { id: `probe-${number}`, kind: "probe", pValue: 1 });
    await respond.tick();
    await state.findings.setStatus("campaign-1", { to: "dismissed", by: "user:ada", note: "a class" });
    const { changed } = await respond.tick();
    assert.ok(changed.some(({ id, status }) => id === first?.id && status === "lifted"));
  });

  it("whose measure a person refused or ended is not proposed again, but an expired one is when it goes on", async (t) => {
    const { state, clock, responder, find } = await scene(t);
    const respond = responder();
    await find(["a", "b", "c"]);
    const [first] = (await respond.tick()).proposed;
    await state.verdicts.reject(first?.id ?? "", { by: "user:ada", note: "a class of students" });
    await find(["a", "b", "c", "d"]);
    assert.equal((await respond.tick()).proposed.length, 0);

    await find(["x", "y", "z"], { id: "campaign-2" });
    assert.equal((await respond.tick()).proposed.length, 1);
    clock.nowMs += PROPOSAL_LIFE_MS;
    assert.deepEqual(
      (await respond.tick()).changed.map(({ status }) => status),
      ["expired"],
    );
    assert.equal((await responder().tick()).proposed.length, 0, "nothing new was found");
    await find(["w", "x", "y", "z"], { id: "campaign-2" });
    assert.equal((await respond.tick()).proposed.length, 1);
  });

  it("that is dismissed frees everybody at the next tick, and the detector's record learns of it", async (t) => {
    const { state, table, responder, find, clock } = await scene(t);
    const respond = responder();
    await find(["a", "b", "c"]);
    const [verdict] = (await respond.tick()).proposed;
    const step = { by: "user:ada", note: "one hand", effectiveMs: clock.nowMs };
    await state.verdicts.approve(verdict?.id ?? "", step);
    await table.refresh();
    assert.notEqual(table.of("a"), null);
    clock.nowMs += 1;
    await state.findings.setStatus("campaign-1", { to: "dismissed", by: "user:ada", note: "agreed" });
    const { changed } = await respond.tick();
    assert.deepEqual(
      changed.map(({ status }) => status),
      ["lifted"],
    );
    await table.refresh();
    assert.equal(table.of("a"), null);
    assert.deepEqual(await state.outcomes.byDetector(), [{ detector: "campaign/test", upheld: 0, wrong: 3 }]);
  });
});

describe("verify", () => {
  it("frees the account for which the step is recorded, once it is, and nobody by what was known before", async (t) => {
    const { state, acts, table, clock, responder, find } = await scene(t);
    await state.accounts.ensureAll(["a", "b", "c"].map((name) => unknownAccount(name)));
    const verify = async (account: string, kind: "payment" | "email"): Promise<void> => {
      await state.standing.verify({ kind: "account", name: account }, { kind, status: "verified" });
    };
    await verify("a", "payment");
    const policy = parsePolicy("version: 1\nrules: [{id: all, measure: verify, approval: none}]");
    const respond = responder({ policy, verification: "payment" });
    await find(["a", "b", "c"]);
    const [verdict] = (await respond.tick()).proposed;
    clock.nowMs = verdict?.effectiveMs ?? 0;
    assert.equal((await respond.tick()).released, 0);
    clock.nowMs += MINUTE_MS;
    await verify("b", "payment");
    await verify("c", "email");
    acts.length = 0;
    assert.equal((await respond.tick()).released, 1);
    assert.equal((await respond.tick()).released, 0);
    await table.refresh();
    assert.deepEqual(
      ["a", "b", "c"].map((account) => table.of(account)?.measure ?? null),
      ["verify", null, "verify"],
    );
    assert.deepEqual(
      acts.map(({ act, account }) => [act, account]),
      [["verdict.released", "b"]],
    );
  });
});

describe("shadow mode", () => {
  it("computes and shows, and enforcing later asks anew", async (t) => {
    const { state, table, responder, find, clock } = await scene(t);
    await find(["a", "b", "c"]);
    const [shadow] = (await responder({ mode: "shadow" }).tick()).proposed;
    assert.equal(shadow?.shadow, true);
    const step = { by: "user:ada", note: "as a trial", effectiveMs: clock.nowMs };
    await state.verdicts.approve(shadow?.id ?? "", step);
    await table.refresh();
    assert.equal(table.of("a"), null);
    const [real] = (await responder({ mode: "enforce" }).tick()).proposed;
    assert.equal(real?.shadow, false);
    assert.equal(real?.status, "proposed");
  });
});

describe("fairness", () => {
  it("leaves alone whom something was agreed with", async (t) => {
    const { state, responder, find } = await scene(t);
    await state.accounts.ensure({ ...unknownAccount("c"), organization: "Lumen" });
    const policy = parsePolicy(
      "version: 1\nexempt: {accounts: [a], organizations: [Lumen]}\nrules: [{id: all, measure: slow}]",
    );
    await find(["a", "b", "c", "d"]);
    const [verdict] = (await responder({ policy }).tick()).proposed;
    const members = await state.verdicts.members(verdict?.id ?? "");
    assert.deepEqual(
      members.map(({ account }) => account),
      ["b", "d"],
    );
  });

  it("needs no approval only where the policy says so, and asks for the take only where a rule does", async (t) => {
    const { responder, find } = await scene(t);
    const policy = parsePolicy(
      "version: 1\nrules: [{id: much, measure: slow, approval: none, when: {exchangesAtLeast: 100}}]",
    );
    await find(["a"]);
    let exchanges = 99;
    const respond = responder({ policy, takeOf: async () => ({ exchanges, tokens: 0 }) });
    assert.equal((await respond.tick()).proposed.length, 0);
    exchanges = 100;
    const [verdict] = (await respond.tick()).proposed;
    assert.equal(verdict?.status, "approved");
  });

  it("says in the log which policy is in force, once", async (t) => {
    const { acts, responder } = await scene(t);
    await responder().announce();
    await responder().announce();
    await responder({ mode: "shadow" }).announce();
    const detail = { policy: policyHash(STANDARD_POLICY), rules: 3 };
    assert.deepEqual(acts, [
      { act: "policy.changed", account: null, detail: { ...detail, mode: "enforce" } },
      { act: "policy.changed", account: null, detail: { ...detail, mode: "shadow" } },
    ]);
  });
});

describe("what holds until an approver decides", () => {
  const policy = parsePolicy(`
version: 1
delayMinutes: { least: 10, most: 10 }
rules:
  - { id: campaign, measure: quarantine, untilDecided: { measure: slow, hours: 24 } }
`);
  const measures = (table: VerdictTable, names: readonly string[]): (string | null)[] =>
    names.map((name) => table.of(name)?.measure ?? null);

  it("begins after the policy's delay for everybody at once, and goes over into the measure itself", async (t) => {
    const { state, table, acts, clock, responder, find } = await scene(t);
    const respond = responder({ policy });
    await find(["a", "b"]);
    const [proposed] = (await respond.tick()).proposed;
    assert.equal(proposed?.status, "proposed");
    await table.refresh();
    assert.deepEqual(measures(table, ["a", "b"]), [null, null]);
    const detail = acts.find(({ act }) => act === "verdict.proposed")?.detail;
    assert.deepEqual((detail as { untilDecided?: object }).untilDecided, proposed?.interim);
    clock.nowMs += 10 * MINUTE_MS;
    assert.deepEqual(measures(table, ["a", "b"]), ["slow", "slow"]);
    await find(["a", "b", "c"]);
    await respond.tick();
    await table.refresh();
    assert.equal(table.of("c")?.measure, "slow", "who joins is held to it in the same tick");
    const effectiveMs = clock.nowMs + 30 * MINUTE_MS;
    await state.verdicts.approve(proposed?.id ?? "", { by: "user:ada", note: "one hand", effectiveMs });
    await table.refresh();
    assert.deepEqual(measures(table, ["a", "c"]), ["slow", "slow"], "until the measure itself begins");
    clock.nowMs = effectiveMs;
    assert.deepEqual(measures(table, ["a", "c"]), ["quarantine", "quarantine"]);
  });

  it("ends at once when a person says no, and by itself when nobody says anything", async (t) => {
    const { state, table, clock, responder, find } = await scene(t);
    const respond = responder({ policy });
    await find(["a"]);
    await find(["b"], { id: "campaign-2" });
    const { proposed } = await respond.tick();
    clock.nowMs += 10 * MINUTE_MS;
    await table.refresh();
    assert.deepEqual(measures(table, ["a", "b"]), ["slow", "slow"]);
    const first = proposed.find(({ finding }) => finding === "campaign-1");
    await state.verdicts.reject(first?.id ?? "", { by: "user:ada", note: "a class" }, { isWrong: true });
    await table.refresh();
    assert.deepEqual(measures(table, ["a", "b"]), [null, "slow"]);
    clock.nowMs += 24 * 60 * MINUTE_MS;
    assert.deepEqual(measures(table, ["a", "b"]), [null, null]);
  });

  it("enforces nothing in shadow mode", async (t) => {
    const { table, clock, responder, find } = await scene(t);
    await find(["a"]);
    await responder({ policy, mode: "shadow" }).tick();
    clock.nowMs += 20 * MINUTE_MS;
    await table.refresh();
    assert.equal(table.of("a"), null);
  });
});

it("a rule that asks nobody says nothing about whether its detector was right", async (t) => {
  const { state, responder, find } = await scene(t);
  await find(["a"], { kind: "account", id: "account-1", pValue: 0.5 });
  const [watched] = (await responder().tick()).proposed;
  assert.deepEqual([watched?.measure, watched?.status], ["observe", "approved"]);
  assert.deepEqual(await state.outcomes.byDetector(), []);
});
