// Proves what the control plane keeps: accounts, keys, findings, people, on both databases and across processes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { z } from "zod";
import { unknownAccount } from "../../src/core/account.ts";
import type { Act, ActRecorder } from "../../src/core/acts.ts";
import type { Finding } from "../../src/core/finding.ts";
import { State } from "../../src/state/state.ts";
import { type FreshState, onEachDatabase } from "../helpers/state-databases.ts";

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

const acme = { ...unknownAccount("acme"), plan: "pro", country: "DE", created: "2026-01-31T00:00:00.000Z" };

onEachDatabase((fresh) => {
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

  describe("accounts", () => {
    test("are made once; later facts are added, and silence changes nothing", async () => {
      assert.equal((await state.accounts.ensure(acme, { record })).isNew, true);
      nowMs += 5;
      const { account, isNew } = await state.accounts.ensure(
        { ...unknownAccount("acme"), organization: "Acme Ltd" },
        { record },
      );
      assert.equal(isNew, false);
      assert.equal(account.plan, "pro");
      assert.equal(account.organization, "Acme Ltd");
      assert.equal(account.recordedMs, 1_000_000);
      assert.equal(account.updatedMs, 1_000_005);
      await state.accounts.ensure(unknownAccount("acme"), { record });
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["account.recorded", "account.recorded"],
      );
      assert.deepEqual(acts[0], { act: "account.recorded", account: "acme", detail: acme });
    });

    test("come in bulk, the same one twice in a batch counting once", async () => {
      const many = Array.from({ length: 4500 }, (_, index) =>
        unknownAccount(`a${String(index).padStart(5, "0")}`),
      );
      const twice = { ...unknownAccount("a00000"), plan: "free" };
      assert.deepEqual(await state.accounts.ensureAll([...many, twice]), { created: 4500, changed: 1 });
      assert.equal(await state.accounts.count(), 4500);
      assert.equal((await state.accounts.get("a00000"))?.plan, "free");
      const page = await state.accounts.list({ after: "a00010", limit: 3 });
      assert.deepEqual(
        page.map(({ account }) => account),
        ["a00011", "a00012", "a00013"],
      );
    });

    test("are found by part of the name, where % and _ mean themselves", async () => {
      await state.accounts.ensureAll(["50%_off", "500 off", "Acme"].map((name) => unknownAccount(name)));
      const found = async (text: string): Promise<string[]> =>
        (await state.accounts.search({ text })).items.map(({ account }) => account);
      assert.deepEqual(await found("0%_o"), ["50%_off"]);
      assert.deepEqual(await found("aCM"), ["Acme"]);
      assert.deepEqual(await found("\\"), []);
      assert.equal((await state.accounts.search({ limit: 1 })).total, 3);
    });

    test("change status and facts, with an act for each", async () => {
      await state.accounts.ensure(acme);
      await state.accounts.update("acme", { status: "suspended", plan: null }, { record });
      const account = await state.accounts.demand("acme");
      assert.equal(account.status, "suspended");
      assert.equal(account.plan, null);
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["account.recorded", "account.status-changed"],
      );
    });

    test("with wrong facts or unknown names are refused", async () => {
      for (const name of ["", "x".repeat(256), "a\u0000b", "a\u001b[2J", "\ud800"]) {
        await assert.rejects(state.accounts.ensure(unknownAccount(name)), { code: "invalid-fact" }, name);
      }
      await assert.rejects(state.accounts.ensure({ ...acme, created: "yesterday" }), {
        code: "invalid-fact",
      });
      await assert.rejects(state.accounts.update("nobody", {}), { code: "account-unknown" });
      await assert.rejects(state.accounts.demand("nobody"), { code: "account-unknown" });
    });
  });

  describe("a change without its record is not made", () => {
    test("account, key, finding, link", async () => {
      const gone = { message: "the disk is gone" };
      await assert.rejects(state.accounts.ensure(acme, { record: refuse }), gone);
      assert.equal(await state.accounts.get("acme"), null);
      await state.accounts.ensure(acme);
      await assert.rejects(state.keys.create({ account: "acme" }, { record: refuse }), gone);
      assert.deepEqual(await state.keys.list(), []);
      const { id } = await state.keys.create({ account: "acme" });
      await assert.rejects(state.keys.revoke(id, { record: refuse }), gone);
      assert.equal((await state.keys.get(id))?.revokedMs, null);
      await assert.rejects(
        state.sessions.createLink({ user: "ada", role: "admin", lifeMs: 1 }, { record: refuse }),
        gone,
      );
      assert.equal(await state.users.get("ada"), null);
    });
  });

  describe("keys", () => {
    test("hold 256 random bits, are shown once and stored as a hash", async () => {
      await state.accounts.ensure(acme);
      const { id, secret, key } = await state.keys.create(
        { account: "acme", label: "ci", expiresAtMs: nowMs + 10 },
        { record },
      );
      assert.match(secret, /^ady_[A-Za-z0-9_-]{49}$/);
      assert.deepEqual(await state.keys.list({ account: "acme" }), [key]);
      const rows = await state.database.selectFrom("keys").selectAll().execute();
      assert.ok(!JSON.stringify(rows).includes(secret));
      assert.deepEqual(acts, [
        { act: "key.created", account: "acme", detail: { key: id, label: "ci", expiresMs: nowMs + 10 } },
      ]);
      assert.ok(!JSON.stringify(acts).includes(secret));
    });

    test("are revoked once, and belong to an account that is known", async () => {
      await state.accounts.ensure(acme);
      const { id } = await state.keys.create({ account: "acme" });
      const first = await state.keys.revoke(id);
      nowMs += 1000;
      assert.deepEqual(await state.keys.revoke(id), first);
      await assert.rejects(state.keys.revoke("k_none"), { code: "key-unknown" });
      await assert.rejects(state.keys.create({ account: "nobody" }), { code: "account-unknown" });
      await assert.rejects(state.keys.create({ account: "acme", label: "x".repeat(257) }), {
        code: "invalid-fact",
      });
    });
  });

  const finding = (id: string, more: Partial<Finding> = {}): Finding => ({
    id,
    kind: "campaign",
    detector: "reuse/skeleton",
    accounts: ["acme", "bolt"],
    timeMs: 5000,
    eValue: 1e6,
    errorRate: "false discovery rate 1 % over accounts",
    technique: "AML.T0024.002",
    summary: `summary of ${id}`,
    contributions: [{ name: "shared skeletons", value: "12" }],
    ...more,
  });

  describe("findings", () => {
    test("keep accounts that a person added, whatever the detector says later", async () => {
      await state.accounts.ensureAll([unknownAccount("late"), unknownAccount("bolt")]);
      await state.findings.upsert([finding("f1", { accounts: ["acme", "bolt"] })]);
      const added = { accounts: ["late", "bolt", "late"], by: "user:ada", note: "one card" };
      const { finding: grown } = await state.findings.addAccounts("f1", added, { record });
      assert.deepEqual(grown.accounts, ["acme", "bolt", "late"]);
      assert.deepEqual(acts, [
        {
          ...{ act: "finding.accounts-added", account: null },
          detail: { finding: "f1", accounts: ["bolt", "late"], note: "one card" },
        },
      ]);
      nowMs += 1;
      await state.findings.upsert([finding("f1", { accounts: ["acme", "new"] })]);
      const entry = await state.findings.demand("f1");
      assert.deepEqual(entry.finding.accounts, ["acme", "bolt", "late", "new"]);
      assert.equal((await state.findings.list({ account: "late" })).total, 1);
      nowMs += 1;
      await state.findings.upsert([finding("f1", { accounts: ["acme", "new"] })]);
      assert.equal((await state.findings.demand("f1")).updatedMs, entry.updatedMs, "nothing has changed");
      const last = (await state.findings.history("f1")).at(-1);
      assert.deepEqual(last, {
        atMs: 1_000_000,
        by: "user:ada",
        from: null,
        to: "open",
        note: "2 accounts added: one card",
      });
      const refused = async (change: object, code: string): Promise<void> =>
        await assert.rejects(state.findings.addAccounts("f1", { ...added, ...change }), { code });
      await refused({ accounts: ["nobody"] }, "account-unknown");
      await refused({ note: " " }, "invalid-fact");
      await refused({ accounts: [] }, "invalid-fact");
    });

    test("are raised once, grow, and keep their decision", async () => {
      assert.deepEqual(await state.findings.upsert([finding("f1")], { record }), { raised: 1, updated: 0 });
      await state.findings.setStatus("f1", { to: "dismissed", by: "user:ada", note: "agreed" }, { record });
      const grown = finding("f1", { accounts: ["zeta", "acme", "acme"] });
      assert.deepEqual(await state.findings.upsert([grown], { record }), { raised: 0, updated: 1 });
      const entry = await state.findings.demand("f1");
      assert.equal(entry.status, "dismissed");
      assert.deepEqual(entry.finding.accounts, ["acme", "zeta"]);
      assert.equal((await state.findings.list({ account: "bolt" })).total, 0);
      assert.deepEqual(await state.findings.history("f1"), [
        { atMs: nowMs, by: "detector:reuse/skeleton", from: null, to: "open", note: "" },
        { atMs: nowMs, by: "user:ada", from: "open", to: "dismissed", note: "agreed" },
      ]);
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["finding.raised", "finding.status-changed"],
      );
    });

    test("are filtered, searched and put in order", async () => {
      await state.findings.upsert([
        finding("f1", { timeMs: 1, eValue: 10, detector: "a/one" }),
        finding("f2", { timeMs: 2, eValue: null, pValue: 1e-9, kind: "account", accounts: ["solo"] }),
        finding("f3", { timeMs: 3, eValue: 100, accounts: ["a", "b", "c"] }),
      ]);
      const ids = async (query: Parameters<typeof state.findings.list>[0]): Promise<string[]> =>
        (await state.findings.list(query)).items.map((entry) => entry.finding.id);
      assert.deepEqual(await ids({}), ["f3", "f2", "f1"]);
      assert.deepEqual(await ids({ sort: "evidence" }), ["f2", "f3", "f1"]);
      assert.deepEqual(await ids({ sort: "accounts", direction: "asc" }), ["f2", "f1", "f3"]);
      assert.deepEqual(await ids({ kind: "account" }), ["f2"]);
      assert.deepEqual(await ids({ account: "acme" }), ["f1"]);
      assert.deepEqual(await ids({ text: "OLO" }), ["f2"]);
      assert.deepEqual(await ids({ text: "a/on" }), ["f1"]);
      assert.deepEqual(await ids({ offset: 1, limit: 1 }), ["f2"]);
      assert.equal((await state.findings.list({ offset: 1, limit: 1 })).total, 3);
      await state.findings.setStatus("f1", { to: "confirmed", by: "cli:ada" });
      assert.deepEqual(await ids({ status: "open" }), ["f3", "f2"]);
      assert.deepEqual(
        await state.findings.openCounts(["a", "acme", "solo"]),
        new Map([
          ["a", 1],
          ["solo", 1],
        ]),
      );
    });

    test("may name a fleet, and members that a later detector adds are kept", async () => {
      const accounts = Array.from({ length: 24_000 }, (_, index) => `fleet-${index}`);
      await state.findings.upsert([{ ...finding("f1", { accounts }), take: { exchanges: 7 } } as Finding]);
      const entry = await state.findings.demand("f1");
      assert.equal(entry.finding.accounts.length, 24_000);
      assert.deepEqual((entry.finding as Finding & { take?: unknown }).take, { exchanges: 7 });
      assert.equal((await state.findings.list({ account: "fleet-23999" })).total, 1);
    });

    test("without accounts, with an infinite e-value or unknown are refused", async () => {
      await assert.rejects(state.findings.upsert([finding("f1", { accounts: [] })]), {
        code: "invalid-fact",
      });
      const infinite = finding("f1", { eValue: Number.POSITIVE_INFINITY });
      await assert.rejects(state.findings.upsert([infinite]), { code: "invalid-fact" });
      await assert.rejects(state.findings.setStatus("f9", { to: "open", by: "x" }), {
        code: "finding-unknown",
      });
    });
  });

  describe("people", () => {
    const lifeMs = 60_000;

    test("a link signs in once, and its session lives until it ends", async () => {
      const { token } = await state.sessions.createLink({ user: "ada", role: "analyst", lifeMs }, { record });
      const started = await state.sessions.redeem(token, { lifeMs }, { record });
      assert.ok(started);
      assert.deepEqual(started.session, { user: "ada", role: "analyst", expiresMs: nowMs + lifeMs });
      assert.equal(await state.sessions.redeem(token, { lifeMs }), null);
      assert.deepEqual(await state.sessions.authenticate(started.token), started.session);
      await state.sessions.end(started.token, { record });
      assert.equal(await state.sessions.authenticate(started.token), null);
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["sign-in-link.created", "session.started", "session.ended"],
      );
      assert.ok(!JSON.stringify(acts).includes(token) && !JSON.stringify(acts).includes(started.token));
    });

    test("links and sessions expire", async () => {
      const { token: late } = await state.sessions.createLink({ user: "ada", role: "admin", lifeMs });
      const { token } = await state.sessions.createLink({ user: "ada", role: "admin", lifeMs });
      const started = await state.sessions.redeem(token, { lifeMs });
      nowMs += lifeMs;
      assert.equal(await state.sessions.redeem(late, { lifeMs }), null);
      assert.equal(await state.sessions.authenticate(started?.token ?? ""), null);
    });

    test("a role takes effect at once, and disabling ends sessions and links", async () => {
      const { token: link } = await state.sessions.createLink({ user: "ada", role: "admin", lifeMs });
      const { token: other } = await state.sessions.createLink({ user: "ada", role: "admin", lifeMs });
      const token = (await state.sessions.redeem(link, { lifeMs }))?.token ?? "";
      await state.users.update("ada", { role: "viewer" }, { record });
      assert.equal((await state.sessions.authenticate(token))?.role, "viewer");
      await state.users.update("ada", { disabled: true });
      assert.equal(await state.sessions.authenticate(token), null);
      assert.equal(await state.sessions.redeem(other, { lifeMs }), null);
      await assert.rejects(state.users.update("bob", {}), { code: "user-unknown" });
    });

    test("the oldest of too many sessions ends", async () => {
      const tokens: string[] = [];
      for (let index = 0; index < 21; index++) {
        nowMs++;
        const { token } = await state.sessions.createLink({ user: "ada", role: "admin", lifeMs });
        tokens.push((await state.sessions.redeem(token, { lifeMs }))?.token ?? "");
      }
      assert.equal(await state.sessions.authenticate(tokens[0] ?? ""), null);
      assert.equal((await state.sessions.authenticate(tokens[1] ?? ""))?.user, "ada");
    });

    test("what is no token is no session", async () => {
      for (const token of ["", "x", "'; drop table users; --", "é".repeat(43), "a".repeat(43)]) {
        assert.equal(await state.sessions.authenticate(token), null);
        assert.equal(await state.sessions.redeem(token, { lifeMs }), null);
      }
    });
  });

  describe("settings", () => {
    test("keep a value of the shape that is asked for", async () => {
      await state.settings.set("console", { port: 8788 });
      await state.settings.set("console", { port: 8789 });
      assert.deepEqual(await state.settings.get("console", z.object({ port: z.number() })), { port: 8789 });
      assert.equal(await state.settings.get("console", z.string()), null);
      assert.equal(await state.settings.get("absent", z.string()), null);
      await assert.rejects(state.settings.set("large", "x".repeat(70_000)), { code: "invalid-fact" });
    });
  });

  describe("the database", () => {
    test("is opened by many processes at once, and no write is lost", { timeout: 300_000 }, async () => {
      const { folder, config } = await fresh();
      const script = `
      const { State } = await import(${JSON.stringify(new URL("../../src/state/state.ts", import.meta.url).href)});
      const { unknownAccount } = await import(${JSON.stringify(new URL("../../src/core/account.ts", import.meta.url).href)});
      const state = await State.open(${JSON.stringify({ folder, config })});
      for (let n = 0; n < 25; n++) {
        await state.accounts.ensure({ ...unknownAccount("shared"), plan: process.argv[1] + "-" + n });
        await state.accounts.ensure(unknownAccount(process.argv[1] + "-" + n));
      }
      await state.close();`;
      const codes = await Promise.all(
        ["p", "q", "r"].map(async (name) => {
          const child = spawn(process.execPath, ["--input-type=module", "-e", script, name], {
            stdio: "inherit",
          });
          return await new Promise((resolve) => child.once("close", resolve));
        }),
      );
      assert.deepEqual(codes, [0, 0, 0]);
      const shared = await State.open({ folder, config });
      assert.equal(await shared.accounts.count(), 76);
      await shared.close();
    });
  });
});
