// What a client says about itself or others in a request changes nobody's identity, records or limits but its own.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { SignJWT } from "jose";
import { unknownAccount } from "../../src/core/account.ts";
import { endUserPseudonym } from "../../src/core/end-user.ts";
import { writeKeySecret } from "../../src/core/key-secret.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { ACCOUNT, type Harness, start } from "./harness.ts";

const VICTIM = "acct_victim";

async function ask(
  { url }: Harness,
  key: string,
  extra: { headers?: Record<string, string>; body?: Record<string, unknown>; path?: string } = {},
): Promise<Response> {
  return await fetch(`${url}${extra.path ?? "/v1/chat/completions"}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...extra.headers },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...extra.body }),
  });
}

describe("a client that sends a victim's name", () => {
  test("is recorded as itself, whatever body, header or query say", async (t) => {
    const gateway = await start(t);
    await gateway.state.accounts.ensure(unknownAccount(VICTIM));
    const victims = await gateway.state.keys.create({ account: VICTIM });
    const claims: Parameters<typeof ask>[2][] = [
      { body: { user: VICTIM, metadata: { user_id: VICTIM, account: VICTIM } } },
      { body: { safety_identifier: VICTIM, prompt_cache_key: VICTIM, account: VICTIM } },
      { headers: { "adyton-end-user": VICTIM, "x-user-id": VICTIM, "openai-organization": VICTIM } },
      { headers: { "adyton-account": VICTIM, "x-adyton-account": VICTIM, "x-forwarded-user": VICTIM } },
      { headers: { cookie: `account=${VICTIM}`, from: VICTIM, "x-account": victims.id } },
      { path: `/v1/chat/completions?user=${VICTIM}&account=${VICTIM}&key=${victims.id}` },
    ];
    for (const claim of claims) assert.equal((await ask(gateway, gateway.key, claim)).status, 200);
    assert.deepEqual(
      gateway.log.opens.map(({ account }) => account),
      claims.map(() => ACCOUNT),
    );
    assert.ok(gateway.log.opens.every(({ network }) => network.key === gateway.keyId));
    // It stays evidence: the body is recorded as it was sent.
    assert.ok(gateway.log.opens[0]?.body.includes(VICTIM));
  });

  test("can't spend the victim's place, nor have the victim shut out", async (t) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    const gateway = await start(t, {
      limits: { maxConcurrentPerAccount: 1 },
      upstream: async (_request, response) => {
        if (first) {
          first = false;
          await held;
        }
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      },
    });
    await gateway.state.accounts.ensure(unknownAccount(VICTIM));
    const { secret } = await gateway.state.keys.create({ account: VICTIM });
    await gateway.directory.refresh();
    const claim = {
      body: { user: VICTIM, metadata: { user_id: VICTIM } },
      headers: { "adyton-end-user": VICTIM },
    };
    const slow = ask(gateway, gateway.key, claim);
    // The attacker's one place is taken once its request has reached the upstream.
    await until(() => !first);
    assert.equal((await ask(gateway, gateway.key, claim)).status, 429);
    assert.equal((await ask(gateway, secret)).status, 200, "the victim goes on");
    release();
    assert.equal((await slow).status, 200);
    await gateway.state.accounts.update(ACCOUNT, { status: "suspended" });
    await gateway.directory.refresh();
    assert.equal((await ask(gateway, gateway.key, claim)).status, 403);
    assert.equal((await ask(gateway, secret)).status, 200);
  });
});

test("a tenant's signed word tells its users apart: in records, in limits, and not to the upstream", async (t) => {
  const held: (() => void)[] = [];
  const gateway = await start(t, {
    limits: { maxConcurrentPerEndUser: 1 },
    upstream: async (_request, response) => {
      await new Promise<void>((resolve) => held.push(resolve));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    },
  });
  const { state, directory } = gateway;
  await state.organizations.put({ organization: "acme" });
  await state.accounts.update(ACCOUNT, { organization: "acme" });
  const pair = generateKeyPairSync("ed25519");
  const publicKey = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  const { id: kid } = await state.endUserKeys.create({ organization: "acme", publicKey });
  await directory.refresh();
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const signed = async (sub: string): Promise<Parameters<typeof ask>[2]> => {
    const token = new SignJWT({ sub, exp }).setProtectedHeader({ alg: "EdDSA", kid });
    return { headers: { "adyton-end-user": await token.sign(pair.privateKey) } };
  };
  const asked: Promise<Response>[] = [ask(gateway, gateway.key, await signed("u-1"))];
  await until(() => held.length === 1);
  const refused = await ask(gateway, gateway.key, await signed("u-1"));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("adyton-code"), "gateway.too-many-for-end-user");
  // Another of its users goes on, and so does who only claims to be the first.
  asked.push(ask(gateway, gateway.key, await signed("u-2")));
  await until(() => held.length === 2);
  asked.push(ask(gateway, gateway.key, { headers: { "adyton-end-user": "u-1" } }));
  await until(() => held.length === 3);
  for (const release of held) release();
  for (const response of await Promise.all(asked)) assert.equal(response.status, 200);
  asked.push(ask(gateway, gateway.key, await signed("u-1")));
  await until(() => held.length === 4);
  held[3]?.();
  assert.equal((await asked.at(-1))?.status, 200, "its place is free again");
  const users = gateway.log.opens.map(({ network }) => network.endUser);
  const [first, second] = [endUserPseudonym("acme", "u-1"), endUserPseudonym("acme", "u-2")];
  assert.deepEqual(users, [first, first, second, undefined, first]);
  assert.ok(gateway.upstream.seen.every(({ headers }) => headers["adyton-end-user"] === undefined));
});

test("a key is looked up by its hash: what is compared shares nothing with what was guessed", async (t) => {
  const gateway = await start(t);
  const { key, state } = gateway;
  const directory = await KeyDirectory.open(state);
  const guesses = [
    key,
    // Each shares more with the real key than the one before; a comparison that stops early would tell them apart.
    ...[4, 20, 40, 52].map((kept) => key.slice(0, kept) + "A".repeat(key.length - kept)),
    writeKeySecret(new Uint8Array(32)),
  ];
  const lookedUp: unknown[] = [];
  const answers = watching(lookedUp, () => guesses.map((guess) => directory.authenticate(guess)));
  const hashes = guesses.map((guess) => createHash("sha256").update(guess).digest("base64url"));
  for (const hash of hashes) assert.ok(lookedUp.includes(hash));
  for (const guess of guesses) assert.ok(!lookedUp.includes(guess), "the secret itself is never looked up");
  assert.deepEqual(
    answers.map((answer) => "account" in answer),
    guesses.map((guess) => guess === key),
  );
  directory.close();
});

/** Notes what every map is asked for while `work` runs. Not the runner's own mock, whose notes are maps too. */
function watching<T>(asked: unknown[], work: () => T): T {
  const get = Object.getOwnPropertyDescriptor(Map.prototype, "get");
  assert.ok(get !== undefined);
  const original = get.value as (this: Map<unknown, unknown>, name: unknown) => unknown;
  function noting(this: Map<unknown, unknown>, name: unknown): unknown {
    asked.push(name);
    return original.call(this, name);
  }
  Object.defineProperty(Map.prototype, "get", { ...get, value: noting });
  try {
    return work();
  } finally {
    Object.defineProperty(Map.prototype, "get", get);
  }
}

const PATIENCE_MS = 60_000;

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(performance.now() < giveUpAt, "expected it in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
