// Verdicts and appeals in the real state: every step, who may be named, what gateways see and when.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Act } from "../../src/core/acts.ts";
import { StateError } from "../../src/state/errors.ts";
import { State } from "../../src/state/state.ts";
import type { VerdictDraft } from "../../src/state/verdict-draft.ts";
import { isReference, newReference } from "../../src/state/verdict-rows.ts";
import { VerdictTable } from "../../src/state/verdict-table.ts";
import { type FreshState, onEachDatabase } from "../helpers/state-databases.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

interface Scene {
  readonly state: State;
  readonly table: VerdictTable;
  readonly acts: Act[];
  readonly record: (acts: readonly Act[]) => Promise<void>;
  readonly clock: { nowMs: number };
}

async function sceneIn(place: FreshState, t: TestContext): Promise<Scene> {
  const { folder, config } = place;
  const clock = { nowMs: Date.UTC(2026, 2, 4) };
  const state = await State.open({ folder, config, now: () => clock.nowMs });
  // No poll comes between: the test says when the gateway looks.
  const table = await VerdictTable.open(state, { now: () => clock.nowMs, refreshMs: 3_600_000 });
  const acts: Act[] = [];
  t.after(async () => {
    table.close();
    await state.close();
    place.remove();
  });
  return {
    state,
    table,
    acts,
    clock,
    record: async (some) => {
      acts.push(...some);
    },
  };
}

function draft(change: Partial<VerdictDraft> = {}): VerdictDraft {
  return {
    finding: "campaign-1",
    detector: "campaign/test",
    measure: "quarantine",
    reason: "unusual-use",
    shadow: false,
    lifeMs: 30 * DAY_MS,
    inheritLimit: 2,
    accounts: ["acct_b", "acct_a", "acct_b"],
    by: "system",
    ...change,
  };
}

const code = (expected: string) => (error: unknown) => error instanceof StateError && error.code === expected;

onEachDatabase((fresh) => {
  const scene = async (t: TestContext): Promise<Scene> => await sceneIn(await fresh(), t);

  describe("a verdict's life", () => {
    it("goes from proposed over approved into effect and expires, each step an act", async (t) => {
      const { state, table, acts, record, clock } = await scene(t);
      const { id } = await state.verdicts.propose(draft(), { record });
      await table.refresh();
      assert.equal(table.of("acct_a"), null, "a proposal is not enforced");

      const effectiveMs = clock.nowMs + 10 * MINUTE_MS;
      await state.verdicts.approve(id, { by: "user:ada", note: "one hand", effectiveMs }, { record });
      await table.refresh();
      assert.equal(table.of("acct_a"), null, "its delay is running");
      clock.nowMs = effectiveMs;
      const standing = table.of("acct_a");
      assert.equal(standing?.measure, "quarantine", "time alone brings it into effect");
      assert.deepEqual(
        (await state.verdicts.advance({ proposalLifeMs: DAY_MS, record })).map(({ status }) => status),
        ["in-effect"],
      );
      clock.nowMs = effectiveMs + 30 * DAY_MS;
      assert.equal(table.of("acct_a"), null, "time alone ends it");
      assert.deepEqual(
        (await state.verdicts.advance({ proposalLifeMs: DAY_MS, record })).map(({ status }) => status),
        ["expired"],
      );
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["verdict.proposed", "verdict.joined", "verdict.approved", "verdict.in-effect", "verdict.expired"],
      );
      assert.deepEqual(
        (await state.verdicts.history(id)).map(({ step, by }) => [step, by]),
        [
          ["proposed", "system"],
          ["approved", "user:ada"],
          ["in-effect", "system"],
          ["expired", "system"],
        ],
      );
    });

    it("that was in force and ended before anybody looked has its effect on record all the same", async (t) => {
      const { state, acts, record, clock } = await scene(t);
      const step = { by: "user:ada", note: "agreed" };
      const effectiveMs = clock.nowMs + MINUTE_MS;
      const ends = [
        async (id: string) => await state.verdicts.lift(id, step, { record }),
        async () => {
          clock.nowMs = effectiveMs + 30 * DAY_MS;
          await state.verdicts.advance({ proposalLifeMs: 60 * DAY_MS, record });
        },
      ];
      for (const [index, end] of ends.entries()) {
        const { id } = await state.verdicts.propose(draft({ finding: `campaign-${index}` }));
        await state.verdicts.approve(id, { ...step, effectiveMs });
        clock.nowMs = effectiveMs;
        acts.length = 0;
        await end(id);
        const [first, last] = acts;
        assert.deepEqual(first, {
          ...{ act: "verdict.in-effect", account: null },
          detail: { verdict: id, effectiveMs },
        });
        assert.match(last?.act ?? "", /lifted|expired/);
        assert.deepEqual((await state.verdicts.history(id)).map(({ step: name }) => name).slice(-2, -1), [
          "in-effect",
        ]);
        clock.nowMs = effectiveMs - MINUTE_MS;
      }
      const { id } = await state.verdicts.propose(draft({ finding: "campaign-9" }));
      await state.verdicts.approve(id, { ...step, effectiveMs });
      acts.length = 0;
      await state.verdicts.lift(id, step, { record });
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["verdict.lifted"],
        "what never took effect is not said to have",
      );
    });

    it("needs a reason and the right stage", async (t) => {
      const { state, clock } = await scene(t);
      const { id } = await state.verdicts.propose(draft());
      const at = { by: "user:ada", effectiveMs: clock.nowMs };
      await assert.rejects(state.verdicts.approve(id, { ...at, note: "  " }), code("invalid-fact"));
      await state.verdicts.reject(id, { by: "user:ada", note: "an agreed evaluation" }, { isWrong: true });
      await assert.rejects(state.verdicts.approve(id, { ...at, note: "again" }), code("verdict-step"));
      await assert.rejects(state.verdicts.lift(id, { by: "user:ada", note: "again" }), code("verdict-step"));
      await assert.rejects(state.verdicts.demand("v_nothing"), code("verdict-unknown"));
      assert.deepEqual(await state.outcomes.byDetector(), [
        { detector: "campaign/test", upheld: 0, wrong: 2 },
      ]);
    });

    it("is not made when its record can't be", async (t) => {
      const { state } = await scene(t);
      const record = async (): Promise<void> => {
        throw new Error("the disk is full");
      };
      await assert.rejects(state.verdicts.propose(draft(), { record }), /disk is full/);
      assert.equal((await state.verdicts.list()).total, 0);
      const { id } = await state.verdicts.propose(draft());
      await assert.rejects(
        state.verdicts.lift(id, { by: "user:ada", note: "wrong" }, { record }),
        /disk is full/,
      );
      assert.equal((await state.verdicts.demand(id)).status, "proposed");
    });

    it("in shadow mode, or as observe, changes nothing for anybody", async (t) => {
      const { state, table, clock } = await scene(t);
      for (const change of [{ shadow: true }, { measure: "observe" as const }]) {
        const { id } = await state.verdicts.propose(draft(change));
        await state.verdicts.approve(id, { by: "user:ada", note: "as a trial", effectiveMs: clock.nowMs });
      }
      await table.refresh();
      assert.equal(table.of("acct_a"), null);
    });

    it("forgets proposals that nobody decided", async (t) => {
      const { state, clock } = await scene(t);
      await state.verdicts.propose(draft());
      clock.nowMs += DAY_MS;
      const [changed] = await state.verdicts.advance({ proposalLifeMs: DAY_MS });
      assert.equal(changed?.status, "expired");
    });
  });

  describe("the accounts of a verdict", () => {
    it("may grow up to the limit without a further decision", async (t) => {
      const { state, table, acts, record, clock } = await scene(t);
      const { id } = await state.verdicts.propose(draft());
      await state.verdicts.approve(id, { by: "user:ada", note: "one hand", effectiveMs: clock.nowMs });
      const names = ["acct_a", "acct_c", "acct_d", "acct_e"];
      assert.deepEqual(await state.verdicts.join(id, names, { record }), {
        joined: ["acct_c", "acct_d"],
        refused: 1,
      });
      assert.deepEqual(await state.verdicts.join(id, names), { joined: [], refused: 1 });
      await table.refresh();
      assert.equal(table.of("acct_c")?.measure, "quarantine");
      assert.equal(table.of("acct_e"), null);
      assert.deepEqual(acts.at(-1), {
        act: "verdict.joined",
        account: null,
        detail: { verdict: id, accounts: ["acct_c", "acct_d"], inherited: true },
      });
      assert.equal((await state.verdicts.demand(id)).accounts, 4);
    });

    it("have references that do not show that they belong together", async (t) => {
      const { state } = await scene(t);
      const { id } = await state.verdicts.propose(draft());
      const references = (await state.verdicts.members(id)).map(({ reference }) => reference);
      assert.equal(new Set(references).size, 2);
      assert.ok(references.every(isReference));
      assert.ok(references.every((reference) => !reference.includes(id.slice(2, 8))));
    });

    it("are released one by one, and the strongest of several measures holds", async (t) => {
      const { state, table, clock } = await scene(t);
      const step = { by: "user:ada", note: "seen", effectiveMs: clock.nowMs };
      const slow = await state.verdicts.propose(draft({ measure: "slow" }));
      const hard = await state.verdicts.propose(draft({ measure: "quarantine" }));
      await state.verdicts.approve(slow.id, step);
      await state.verdicts.approve(hard.id, step);
      await table.refresh();
      assert.equal(table.of("acct_a")?.measure, "quarantine");
      await state.verdicts.release(hard.id, "acct_a", step);
      await table.refresh();
      assert.equal(table.of("acct_a")?.measure, "slow");
      assert.equal(table.of("acct_b")?.measure, "quarantine");
      await assert.rejects(state.verdicts.release(hard.id, "acct_a", step), code("verdict-step"));
      await state.verdicts.lift(hard.id, step);
      await table.refresh();
      assert.equal(table.of("acct_b")?.measure, "slow");
    });
  });

  describe("an appeal", () => {
    it("granted for one account frees it and counts against the detector", async (t) => {
      const { state, table, acts, record, clock } = await scene(t);
      const { id } = await state.verdicts.propose(draft());
      await state.verdicts.approve(id, { by: "user:ada", note: "one hand", effectiveMs: clock.nowMs });
      const [member] = await state.verdicts.members(id);
      assert.ok(member !== undefined);
      const appeal = await state.appeals.file(member.reference, " We run an evaluation. ", { record });
      assert.equal(appeal.statement, "We run an evaluation.");
      await assert.rejects(state.appeals.file(member.reference, "And again."), code("appeal-step"));
      const decision = { outcome: "granted", by: "user:ada", reason: "Agreed in writing." } as const;
      await state.appeals.decide(appeal.id, decision, { record });
      await assert.rejects(state.appeals.decide(appeal.id, decision), code("appeal-step"));
      await table.refresh();
      assert.equal(table.of(member.account), null);
      assert.equal(table.of("acct_b")?.measure, "quarantine");
      assert.deepEqual(
        acts.map(({ act, account }) => [act, account]),
        [
          ["appeal.filed", "acct_a"],
          ["appeal.decided", "acct_a"],
          ["verdict.released", "acct_a"],
        ],
      );
      assert.deepEqual(await state.outcomes.byDetector(), [
        { detector: "campaign/test", upheld: 1, wrong: 1 },
      ]);
      const [told] = await state.appeals.ofReference(member.reference);
      assert.equal(told?.reason, "Agreed in writing.");
    });

    it("granted for all lifts the verdict; refused changes nothing", async (t) => {
      const { state, table, clock } = await scene(t);
      const { id } = await state.verdicts.propose(draft());
      await state.verdicts.approve(id, { by: "user:ada", note: "one hand", effectiveMs: clock.nowMs });
      const [first, second] = await state.verdicts.members(id);
      assert.ok(first !== undefined && second !== undefined);
      const refused = await state.appeals.file(first.reference, "It was not me.");
      await state.appeals.decide(refused.id, { outcome: "refused", by: "user:ada", reason: "It was." });
      await table.refresh();
      assert.equal(table.of(first.account)?.measure, "quarantine");
      const granted = await state.appeals.file(second.reference, "We are a class of students.");
      const forAll = { outcome: "granted", by: "user:ada", reason: "You are.", forAll: true } as const;
      await state.appeals.decide(granted.id, forAll);
      await table.refresh();
      assert.equal(table.of(first.account), null);
      assert.equal((await state.verdicts.demand(id)).status, "lifted");
    });

    it("is refused without a known reference, and bounded in number and length", async (t) => {
      const { state, clock } = await scene(t);
      await assert.rejects(state.appeals.file(newReference(), "hello"), code("appeal-unknown"));
      await assert.rejects(state.appeals.file("ap_' or 1=1", "hello"), code("appeal-unknown"));
      const { id } = await state.verdicts.propose(draft());
      await state.verdicts.approve(id, { by: "user:ada", note: "one hand", effectiveMs: clock.nowMs });
      const [member] = await state.verdicts.members(id);
      assert.ok(member !== undefined);
      await assert.rejects(state.appeals.file(member.reference, "x".repeat(4001)), code("invalid-fact"));
      for (let count = 0; count < 3; count += 1) {
        const { id: appeal } = await state.appeals.file(member.reference, "Please look again.");
        await state.appeals.decide(appeal, { outcome: "refused", by: "user:ada", reason: "Seen." });
      }
      await assert.rejects(state.appeals.file(member.reference, "Once more."), code("appeal-step"));
    });
  });

  it("found by two machines at once is proposed once, and grows once", async (t) => {
    const { state } = await scene(t);
    const rule = "campaign";
    const [one, other] = await Promise.all([
      state.verdicts.propose(draft({ rule })),
      state.verdicts.propose(draft({ rule })),
    ]);
    assert.equal(one.id, other.id);
    const names = ["acct_a", "acct_c", "acct_d"];
    const grown = await Promise.all([state.verdicts.join(one.id, names), state.verdicts.join(one.id, names)]);
    assert.equal(grown.flatMap(({ joined }) => joined).length, 2);
    assert.equal((await state.verdicts.demand(one.id)).accounts, 4);
    const step = { by: "user:ada", note: "seen", effectiveMs: 0 };
    await state.verdicts.approve(one.id, step);
    const limits = { proposalLifeMs: DAY_MS };
    const moved = await Promise.all([state.verdicts.advance(limits), state.verdicts.advance(limits)]);
    assert.equal(moved.flat().length, 1);
  });

  it("keeps alerts and budget stops on either database", async (t) => {
    const { state, table, clock } = await scene(t);
    const draftOf = (subject: string) => ({ event: "test", subject, body: { text: "hello" } });
    assert.equal(await state.alerts.enqueue(["a", "b"], draftOf("1")), 2);
    assert.equal(await state.alerts.enqueue(["a", "b"], draftOf("1")), 0);
    const [first] = await state.alerts.due(10);
    await state.alerts.failed(first?.id ?? "", { error: "no", nextMs: null });
    assert.equal((await state.alerts.list({ status: "dead" })).total, 1);
    await state.alerts.retry(first?.id ?? "");
    await state.alerts.delivered(first?.id ?? "");
    assert.equal((await state.alerts.due(10)).length, 1);
    const untilMs = clock.nowMs + DAY_MS;
    await state.budgetStops.replace("b", [{ scope: "global", untilMs }]);
    await table.refresh();
    assert.equal(table.spentUntil("b", "global"), untilMs);
    await state.budgetStops.replace("b", []);
    await table.refresh();
    assert.equal(table.spentUntil("b", "global"), 0);
  });
});

it("references hold 160 bits of what they are made from", () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [one, other] = [newReference(() => a), newReference(() => b)];
      assert.ok(isReference(one));
      assert.equal(one === other, Buffer.compare(a, b) === 0);
    }),
    { numRuns: 200, seed: 5 },
  );
});
