// Proves that keys are judged from memory, that changes of other processes arrive, and that guesses cost nothing.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { unknownAccount } from "../../src/core/account.ts";
import { isKeySecret, writeKeySecret } from "../../src/core/key-secret.ts";
import { KeyDirectory, type KeyDirectoryOptions } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { type FreshState, onEachDatabase } from "../helpers/state-databases.ts";

let place: FreshState;
let ours: State;
let theirs: State;
let directory: KeyDirectory | null = null;

/** Far beyond what a busy machine needs. */
const PATIENCE_MS = 60_000;

async function open(options: KeyDirectoryOptions = {}): Promise<KeyDirectory> {
  directory = await KeyDirectory.open(ours, options);
  return directory;
}

onEachDatabase((fresh) => {
  beforeEach(async () => {
    place = await fresh();
    ours = await State.open(place);
    theirs = await State.open(place);
    await theirs.accounts.ensure(unknownAccount("acme"));
  });
  afterEach(async () => {
    directory?.close();
    await ours.close();
    await theirs.close();
    place.remove();
  });

  test("a key of an account is its principal; anything else is rejected with a reason", async () => {
    const { id, secret } = await theirs.keys.create({ account: "acme" });
    const keys = await open();
    assert.deepEqual(keys.authenticate(secret), { account: "acme", key: id, organization: null });
    assert.deepEqual(keys.authenticate(writeKeySecret(new Uint8Array(32))), { rejected: "unknown" });
    for (const text of ["", "ady_", "sk-other", `${secret}x`, secret.toUpperCase(), "ady_".repeat(100_000)]) {
      assert.deepEqual(keys.authenticate(text), { rejected: "malformed" });
    }
  });

  test("a key made, revoked or suspended elsewhere takes effect within a second, by itself", async () => {
    const keys = await open({ refreshMs: 50 });
    const { id, secret } = await theirs.keys.create({ account: "acme" });
    assert.deepEqual(keys.authenticate(secret), { rejected: "unknown" });
    await until(() => "account" in keys.authenticate(secret));
    await theirs.accounts.update("acme", { status: "suspended" });
    await until(() => rejection(keys, secret) === "account-suspended");
    await theirs.accounts.update("acme", { status: "active" });
    await until(() => "account" in keys.authenticate(secret));
    await theirs.keys.revoke(id);
    await until(() => rejection(keys, secret) === "revoked");
  });

  test("a key expires on the clock, without a look at the disk", async () => {
    let now = 1000;
    const { secret } = await theirs.keys.create({ account: "acme", expiresAtMs: 2000 });
    const keys = await open({ now: () => now });
    assert.ok("account" in keys.authenticate(secret));
    now = 2000;
    assert.deepEqual(keys.authenticate(secret), { rejected: "expired" });
  });

  test("an account suspended before the start is suspended after it", async () => {
    const { secret } = await theirs.keys.create({ account: "acme" });
    await theirs.accounts.update("acme", { status: "suspended" });
    assert.equal(rejection(await open(), secret), "account-suspended");
  });

  test("many keys load in pages, and none is left out", async () => {
    const rows = Array.from({ length: 4500 }, (_, index) => ({
      id: `k_${index}`,
      hash: `hash ${index}`,
      account: "acme",
      label: "",
      created_ms: 1,
      expires_ms: null,
      revoked_ms: null,
      revision: 1 + (index % 3),
    }));
    for (let start = 0; start < rows.length; start += 1500) {
      await theirs.database
        .insertInto("keys")
        .values(rows.slice(start, start + 1500))
        .execute();
    }
    assert.equal((await open()).size, 4500);
  });

  test("a limit leaves out new keys but never a revocation", async () => {
    const made = [];
    for (let index = 0; index < 30; index++) made.push(await theirs.keys.create({ account: "acme" }));
    const failures: unknown[] = [];
    const keys = await open({ maxKeys: 30, refreshMs: 60_000, onFailure: (error) => failures.push(error) });
    assert.equal(keys.size, 30);
    await theirs.keys.create({ account: "acme" });
    for (const { id } of made) await theirs.keys.revoke(id);
    await assert.rejects(keys.refresh(), { code: "too-many-keys" });
    for (const { secret } of made) assert.equal(rejection(keys, secret), "revoked");
    assert.equal(keys.size, 30);
  });

  test("a failed look keeps what was known and is reported", async () => {
    const { secret } = await theirs.keys.create({ account: "acme" });
    const failures: unknown[] = [];
    const broken = await State.open(place);
    const keys = await KeyDirectory.open(broken, {
      refreshMs: 20,
      onFailure: (error) => failures.push(error),
    });
    await broken.close();
    await until(() => failures.length > 0);
    assert.ok("account" in keys.authenticate(secret));
    keys.close();
  });
});

test("a written key is recognised, and any change of one character is not", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.nat(52),
      fc.nat(63),
      (random, place, other) => {
        const secret = writeKeySecret(random);
        assert.ok(isKeySecret(secret));
        const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const changed = secret.slice(0, place) + alphabet[other] + secret.slice(place + 1);
        assert.equal(isKeySecret(changed), changed === secret);
      },
    ),
  );
});

function rejection(keys: KeyDirectory, secret: string): string | null {
  const answer = keys.authenticate(secret);
  return "rejected" in answer ? answer.rejected : null;
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(performance.now() < giveUpAt, "expected it in time");
    await setTimeout(10);
  }
}
