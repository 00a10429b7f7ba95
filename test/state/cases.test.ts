// Proves cases and second persons' agreements in the state, on both databases.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Act, ActRecorder } from "../../src/core/acts.ts";
import { openingText } from "../../src/core/case-acts.ts";
import { APPROVAL_LIFE_MS } from "../../src/state/case-approvals.ts";
import { State } from "../../src/state/state.ts";
import { type FreshState, onEachDatabase } from "../helpers/state-databases.ts";

const FACTS = {
  title: "A fleet",
  purpose: "find out",
  authority: "terms, section 4",
  custodian: "Ada",
  jurisdiction: "CH",
  tlp: "AMBER",
} as const;
const ADA = { by: "user:ada", tool: "adyton test" };

onEachDatabase((fresh) => {
  let place: FreshState;
  let state: State;
  let nowMs = 1_000_000;
  const acts: Act[] = [];
  const record: ActRecorder = async (more) => {
    acts.push(...more);
  };
  const refuse: ActRecorder = async () => {
    throw new Error("the disk is gone");
  };
  const open = async (): Promise<string> =>
    (await state.cases.open(FACTS, { ...ADA, log: { size: 7, checkpoint: null } }, { record })).id;

  beforeEach(async () => {
    place = await fresh();
    nowMs = 1_000_000;
    acts.length = 0;
    state = await State.open({ ...place, now: () => nowMs });
  });
  afterEach(async () => {
    await state.close();
    place.remove();
  });

  test("a case begins with its own header as the first entry", async () => {
    const id = await open();
    const [entry] = await state.cases.entries(id);
    assert.equal(entry?.what, "opened");
    assert.equal(entry?.text, openingText({ case: id, ...FACTS }));
    assert.equal((await state.cases.demand(id)).logSize, 7);
    assert.equal(acts[0]?.act, "case.entry");
  });

  test("entries count up, each with its act; a finding keeps its words of then", async () => {
    const id = await open();
    const digest = "ab".repeat(32);
    const snapshot = '{"finding":{}}';
    await state.cases.add(
      id,
      { what: "finding-added", on: "f1", result: "2 accounts", digest, snapshot },
      ADA,
      { record },
    );
    await state.cases.add(id, { what: "note", on: id, result: "written", text: "hm" }, ADA, { record });
    assert.deepEqual(
      (await state.cases.entries(id)).map(({ number, what }) => [number, what]),
      [
        [1, "opened"],
        [2, "finding-added"],
        [3, "note"],
      ],
    );
    assert.deepEqual(await state.cases.findings(id), [{ number: 2, finding: "f1", body: snapshot }]);
    assert.deepEqual(
      acts.map((act) => (act.act === "case.entry" ? act.detail.number : 0)),
      [1, 2, 3],
    );
    assert.equal((await state.cases.list())[0]?.entries, 3);
  });

  test("an entry that the log refused is not made", async () => {
    const id = await open();
    const draft = { what: "note", on: id, result: "written", text: "hm" } as const;
    await assert.rejects(state.cases.add(id, draft, ADA, { record: refuse }), /disk is gone/);
    assert.equal((await state.cases.demand(id)).entries, 1);
    assert.equal((await state.cases.entries(id)).length, 1);
  });

  test("two at once take two numbers", async () => {
    const id = await open();
    const draft = { what: "note", on: id, result: "written", text: "hm" } as const;
    const both = await Promise.allSettled([
      state.cases.add(id, draft, ADA, { record }),
      state.cases.add(id, draft, ADA, { record }),
    ]);
    const made = both.filter(({ status }) => status === "fulfilled").length;
    const entries = await state.cases.entries(id);
    assert.ok(made >= 1);
    assert.equal(entries.length, 1 + made);
    assert.deepEqual(
      entries.map(({ number }) => number),
      entries.map((_, at) => at + 1),
    );
  });

  test("a closed case takes only its export and its reopening", async () => {
    const id = await open();
    await state.cases.add(id, { what: "closed", on: id, result: "done" }, ADA, { record });
    const note = { what: "note", on: id, result: "written", text: "late" } as const;
    await assert.rejects(state.cases.add(id, note, ADA, { record }), { code: "case-closed" });
    await state.cases.add(id, { what: "exported", on: id, result: "bundle" }, ADA, { record });
    await state.cases.add(id, { what: "reopened", on: id, result: "again" }, ADA, { record });
    await state.cases.add(id, note, ADA, { record });
    assert.equal((await state.cases.demand(id)).status, "open");
  });

  test("what is too long, empty or of many lines is refused", async () => {
    const log = { size: 0, checkpoint: null };
    for (const title of ["", "x".repeat(201), "two\nlines"])
      await assert.rejects(state.cases.open({ ...FACTS, title }, { ...ADA, log }), { code: "invalid-fact" });
    await assert.rejects(state.cases.demand("case_nobody"), { code: "case-unknown" });
  });

  test("an agreement is another person's, serves once, and lapses after a day", async () => {
    const asked = { action: "export", subject: "case_1", reason: "court order", by: "user:ada" } as const;
    const { id } = await state.approvals.request(asked, { record });
    assert.equal((await state.approvals.waiting("export", "case_1", "user:ada"))?.id, id);
    assert.equal(await state.approvals.use("export", "case_1", "user:ada"), null);
    const decision = { decision: "approved", by: "user:ada", note: "" } as const;
    await assert.rejects(state.approvals.decide(id, decision, { record }), { code: "approval-step" });
    await state.approvals.decide(id, { ...decision, by: "user:bo" }, { record });
    await assert.rejects(state.approvals.decide(id, { ...decision, by: "user:cy" }, { record }), {
      code: "approval-step",
    });
    assert.equal(await state.approvals.use("export", "case_2", "user:ada"), null);
    assert.equal(await state.approvals.use("export", "case_1", "user:bo"), null);
    assert.equal((await state.approvals.use("export", "case_1", "user:ada"))?.id, id);
    assert.equal(await state.approvals.use("export", "case_1", "user:ada"), null);

    const second = await state.approvals.request(asked, { record });
    await state.approvals.decide(second.id, { ...decision, by: "user:bo" }, { record });
    nowMs += APPROVAL_LIFE_MS + 1;
    assert.equal(await state.approvals.use("export", "case_1", "user:ada"), null);
    assert.deepEqual(
      acts.map(({ act }) => act),
      ["approval.requested", "approval.decided", "approval.requested", "approval.decided"],
    );
  });
});
