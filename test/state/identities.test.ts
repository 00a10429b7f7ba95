// Proves what is kept of organisations, verifications, declared uses, tenants' signing keys, tokens and bound people.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { SignJWT } from "jose";
import { unknownAccount } from "../../src/core/account.ts";
import type { Act, ActRecorder } from "../../src/core/acts.ts";
import { secretHash, writeTokenSecret } from "../../src/core/key-secret.ts";
import { endUserSecret } from "../../src/state/end-user-keys.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { type FreshState, onEachDatabase } from "../helpers/state-databases.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;
const master = Buffer.alloc(32, 3);
let place: FreshState;
let state: State;
let nowMs = START_MS;
const acts: Act[] = [];
const record: ActRecorder = async (more) => {
  acts.push(...more);
};
const refuse: ActRecorder = async () => {
  throw new Error("the disk is gone");
};
const acme = { kind: "organization", name: "acme" } as const;
const account = { kind: "account", name: "acme-1" } as const;

onEachDatabase((fresh) => {
  beforeEach(async () => {
    place = await fresh();
    nowMs = START_MS;
    acts.length = 0;
    state = await State.open({ ...place, now: () => nowMs });
    await state.accounts.ensure({ ...unknownAccount("acme-1"), organization: "acme" });
    await state.organizations.put({ organization: "acme", plan: "pro" });
  });
  afterEach(async () => {
    await state.close();
    place.remove();
  });

  describe("organisations", () => {
    test("are recorded, changed in part, and remember how", async () => {
      nowMs += 5;
      const changed = await state.organizations.put(
        { organization: "acme", country: "DE", plan: undefined },
        { record, by: "user:ada" },
      );
      assert.equal(changed.isNew, false);
      assert.equal(changed.organization.plan, "pro");
      assert.equal(changed.organization.country, "DE");
      assert.equal(changed.organization.recordedMs, START_MS);
      assert.equal(acts[0]?.act, "organization.recorded");
      await state.organizations.put({ organization: "acme", country: "DE" }, { record });
      assert.equal(acts.length, 1, "silence and repetition change nothing");
      const [event] = await state.standing.history(acme);
      assert.equal(event?.by, "user:ada");
      assert.equal(event?.detail, '{"country":{"from":null,"to":"DE"}}');
    });

    test("are listed with how many accounts they have", async () => {
      await state.organizations.put({ organization: "Beta" });
      const { items, total } = await state.organizations.list({ text: "E" });
      assert.deepEqual([items.map(({ organization }) => organization), total], [["Beta", "acme"], 2]);
      assert.equal((await state.organizations.list({ text: "bet" })).total, 1);
      const counts = await state.organizations.accountCounts(["acme", "Beta"]);
      assert.deepEqual([...counts], [["acme", 1]]);
      assert.deepEqual(await state.organizations.accountCounts([]), new Map());
    });

    test("that are unknown or wrongly named are refused", async () => {
      await assert.rejects(state.organizations.demand("nobody"), { code: "organization-unknown" });
      await assert.rejects(state.organizations.put({ organization: "a\u001b[2J" }), { code: "invalid-fact" });
      const late = { record: refuse };
      await assert.rejects(state.organizations.put({ organization: "late" }, late), /disk is gone/);
      assert.equal(await state.organizations.get("late"), null);
    });
  });

  describe("verifications and declared uses", () => {
    test("hold the latest of each kind, and the history all", async () => {
      const by = "user:ada";
      await state.standing.verify(account, { kind: "payment", status: "verified" }, { record, by });
      nowMs += 1000;
      await state.standing.verify(
        account,
        { kind: "payment", status: "withdrawn", reference: "T-9" },
        { by },
      );
      const [only, ...more] = await state.standing.verifications(account);
      assert.equal(more.length, 0);
      assert.deepEqual(only, {
        kind: "payment",
        status: "withdrawn",
        reference: "T-9",
        atMs: nowMs,
        expiresMs: null,
        by,
      });
      assert.equal((await state.standing.history(account)).length, 2);
      assert.equal(acts[0]?.account, "acme-1");
    });

    test("an account's declared use becomes its fact, and leaves it when withdrawn", async () => {
      await state.standing.declare(account, { use: "evaluation", statement: "benchmarks" }, { record });
      assert.equal((await state.accounts.demand("acme-1")).declaredUse, "evaluation");
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["declared-use.recorded", "account.recorded"],
      );
      nowMs += 1000;
      await state.standing.declare(account, { use: "reseller" });
      await state.standing.withdraw(account, "reseller", { record });
      assert.equal((await state.accounts.demand("acme-1")).declaredUse, "evaluation");
      await state.standing.withdraw(account, "evaluation");
      assert.equal((await state.accounts.demand("acme-1")).declaredUse, null);
      const all = await state.standing.declarations(account);
      assert.ok(all.every(({ withdrawnMs }) => withdrawnMs === nowMs));
      await assert.rejects(state.standing.withdraw(account, "evaluation"), { code: "declared-use-unknown" });
    });

    test("synthetic data needs an agreement, and nobody unknown can declare", async () => {
      await assert.rejects(state.standing.declare(acme, { use: "synthetic-data" }), { code: "invalid-fact" });
      await state.standing.declare(acme, { use: "synthetic-data", reference: "contract 7" });
      const nobody = { kind: "account", name: "nobody" } as const;
      await assert.rejects(state.standing.declare(nobody, { use: "research" }), { code: "account-unknown" });
      const none = { kind: "organization", name: "nobody" } as const;
      await assert.rejects(state.standing.verify(none, { kind: "email", status: "verified" }), {
        code: "organization-unknown",
      });
    });

    test("facts of an account that change are history too", async () => {
      await state.accounts.update("acme-1", { plan: "free", status: "suspended" }, { by: "user:bo" });
      await state.accounts.ensure({ ...unknownAccount("acme-1"), country: "FR" }, { by: "import" });
      const events = await state.standing.history(account);
      assert.deepEqual(
        events.map(({ by }) => by),
        ["import", "user:bo"],
      );
      assert.equal(
        events[1]?.detail,
        '{"plan":{"from":null,"to":"free"},"status":{"from":"active","to":"suspended"}}',
      );
    });
  });

  describe("keys for end users", () => {
    async function value(key: string, secret: Uint8Array, sub = "u-1"): Promise<string> {
      const token = new SignJWT({ sub, exp: nowMs / 1000 + 60 });
      return await token.setProtectedHeader({ alg: "HS256", kid: key }).sign(secret);
    }

    test("make a tenant's word about its own users hold, and nobody else's", async () => {
      await state.organizations.put({ organization: "other" });
      const { id } = await state.endUserKeys.create({ organization: "acme" }, { record });
      const directory = await KeyDirectory.open(state, { endUserMaster: master, now: () => nowMs });
      const good = await value(id, endUserSecret(master, id));
      const judged = directory.endUsers.judge(good, "acme");
      assert.ok(judged.signed && judged.key === id);
      const reason = (text: string, organization: string | null): string => {
        const answer = directory.endUsers.judge(text, organization);
        return answer.signed ? "signed" : answer.reason;
      };
      assert.equal(reason(good, "other"), "unknown-key");
      assert.equal(reason(good, null), "no-organization");
      assert.equal(reason("u-1", "acme"), "unsigned");
      assert.equal(reason(await value("eu_none", endUserSecret(master, "eu_none")), "acme"), "unknown-key");
      assert.equal(reason(await value(id, Buffer.alloc(32)), "acme"), "not-valid");
      await state.endUserKeys.revoke(id, { record });
      await state.endUserKeys.revoke(id, { record });
      await directory.refresh();
      assert.equal(reason(good, "acme"), "revoked-key");
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["end-user-key.created", "end-user-key.revoked"],
      );
      directory.close();
    });

    test("may be the tenant's own, expire, and are stored without a secret", async () => {
      const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
      const own = await state.endUserKeys.create({ organization: "acme", publicKey: pem });
      assert.equal(own.algorithm, "EdDSA");
      const { id } = await state.endUserKeys.create({ organization: "acme", expiresAtMs: nowMs + 1000 });
      const rows = JSON.stringify(await state.database.selectFrom("end_user_keys").selectAll().execute());
      assert.ok(!rows.includes(endUserSecret(master, id).toString("base64url")));
      const directory = await KeyDirectory.open(state, { endUserMaster: master, now: () => nowMs });
      const signed = await value(id, endUserSecret(master, id));
      assert.ok(directory.endUsers.judge(signed, "acme").signed);
      nowMs += 1000;
      assert.deepEqual(directory.endUsers.judge(signed, "acme"), { signed: false, reason: "expired-key" });
      directory.close();
      await assert.rejects(state.endUserKeys.create({ organization: "acme", publicKey: "x" }), {
        code: "invalid-fact",
      });
      await assert.rejects(state.endUserKeys.create({ organization: "nobody" }), {
        code: "organization-unknown",
      });
    });

    test("a principal carries its organisation, and follows when that changes", async () => {
      const { secret } = await state.keys.create({ account: "acme-1" });
      const directory = await KeyDirectory.open(state, { now: () => nowMs });
      const organization = (): string | null => {
        const answer = directory.authenticate(secret);
        return "rejected" in answer ? "rejected" : answer.organization;
      };
      assert.equal(organization(), "acme");
      await state.accounts.update("acme-1", { organization: null });
      await directory.refresh();
      assert.equal(organization(), null);
      directory.close();
    });
  });

  describe("keys of another gateway", () => {
    test("are adopted by their hash once, so that their secrets go on working", async () => {
      const secret = "sk-another-gateways-key";
      const sha256 = Buffer.from(secretHash(secret), "base64url").toString("hex");
      const key = { account: "acme-1", label: "batch", sha256, expiresAtMs: null };
      assert.deepEqual(await state.keys.adopt([key], { record }), { adopted: 1 });
      assert.deepEqual(await state.keys.adopt([key], { record }), { adopted: 0 });
      assert.equal(acts.length, 1);
      const directory = await KeyDirectory.open(state);
      assert.ok("account" in directory.authenticate(secret));
      directory.close();
      await assert.rejects(state.keys.adopt([{ ...key, sha256: "xyz" }]), { code: "invalid-fact" });
    });
  });

  describe("tokens", () => {
    const wanted = { label: "scraper", scopes: ["metrics:read"], creator: "user:ada", lifeMs: DAY_MS };

    test("work until they end or are revoked, and are stored as hashes", async () => {
      const { secret, token } = await state.tokens.create(wanted, { record });
      assert.match(secret, /^adt_[A-Za-z0-9_-]{49}$/);
      assert.equal((await state.tokens.authenticate(secret))?.id, token.id);
      const rows = JSON.stringify(await state.database.selectFrom("api_tokens").selectAll().execute());
      assert.ok(!rows.includes(secret) && !JSON.stringify(acts).includes(secret));
      assert.equal((await state.tokens.list()).items[0]?.usedMs, nowMs);
      nowMs += DAY_MS;
      assert.equal(await state.tokens.authenticate(secret), null);
      nowMs -= 1;
      assert.notEqual(await state.tokens.authenticate(secret), null);
      await state.tokens.revoke(token.id, { record });
      assert.equal(await state.tokens.authenticate(secret), null);
      await assert.rejects(state.tokens.revoke("t_none"), { code: "token-unknown" });
    });

    test("that are none are nobody, and those without end, scope or form are not made", async () => {
      for (const text of ["", "adt_x", writeTokenSecret(new Uint8Array(32)), `ady_${"a".repeat(49)}`])
        assert.equal(await state.tokens.authenticate(text), null);
      for (const change of [{ scopes: [] }, { scopes: ["all"] }, { lifeMs: 400 * DAY_MS }, { lifeMs: 0 }])
        await assert.rejects(state.tokens.create({ ...wanted, ...change }), { code: "invalid-fact" });
      await assert.rejects(state.tokens.create(wanted, { record: refuse }), /disk is gone/);
      assert.equal((await state.tokens.list()).total, 0);
    });
  });

  describe("people of an identity provider", () => {
    const ada = { issuer: "https://id.test", subject: "s-1", name: "ada@acme.test", role: "viewer" } as const;
    const life = { lifeMs: 1000 };

    test("are bound once, keep their user, and get the role of their claims at each sign-in", async () => {
      const first = await state.identities.signIn(ada, life, { record });
      assert.equal((await state.sessions.authenticate(first?.token ?? ""))?.user, ada.name);
      const again = await state.identities.signIn({ ...ada, name: "renamed", role: "analyst" }, life, {
        record,
      });
      assert.equal(again?.session.user, ada.name);
      assert.equal(again?.session.role, "analyst");
      assert.deepEqual(
        acts.map(({ act }) => act),
        ["user.bound", "session.started", "user.changed", "session.started"],
      );
    });

    test("can't take over somebody else's user, nor come back when disabled", async () => {
      await state.sessions.createLink({ user: "root", role: "admin", lifeMs: 1000 });
      assert.equal(await state.identities.signIn({ ...ada, name: "root" }, life), null);
      await state.identities.signIn(ada, life);
      assert.equal(await state.identities.signIn({ ...ada, subject: "s-2" }, life), null);
      assert.equal(await state.identities.signIn({ ...ada, issuer: "https://evil.test" }, life), null);
      await state.users.update(ada.name, { disabled: true });
      assert.equal(await state.identities.signIn(ada, life), null);
    });
  });
});
