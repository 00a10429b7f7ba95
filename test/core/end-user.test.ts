// Proves that a tenant's word about its user holds only when signed as agreed, with values that an ordinary JWT library writes.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { SignJWT } from "jose";
import {
  type EndUserVerifier,
  ed25519PublicKey,
  endUserClaimHolds,
  endUserPseudonym,
  MAX_LIFE_SECONDS,
  parseEndUserClaim,
} from "../../src/core/end-user.ts";

const nowSeconds = 1_800_000_000;
const secret = Buffer.alloc(32, 7);
const hmac: EndUserVerifier = { algorithm: "HS256", secret };
const pair = generateKeyPairSync("ed25519");
const eddsa: EndUserVerifier = { algorithm: "EdDSA", publicKey: pair.publicKey };

async function signed({
  alg = "HS256",
  exp = nowSeconds + 600,
  sub = "user-17",
}: {
  alg?: string;
  exp?: number;
  sub?: string;
} = {}): Promise<string> {
  const token = new SignJWT({ sub, exp }).setProtectedHeader({ alg, kid: "eu_1" });
  return await token.sign(alg === "EdDSA" ? pair.privateKey : secret);
}

function holds(value: string, key: EndUserVerifier): boolean {
  const claim = parseEndUserClaim(value);
  return claim !== null && endUserClaimHolds(claim, key, { nowSeconds });
}

test("what a JWT library signs holds, with either algorithm", async () => {
  assert.ok(holds(await signed(), hmac));
  assert.ok(holds(await signed({ alg: "EdDSA" }), eddsa));
  const claim = parseEndUserClaim(await signed({ sub: "Zoë ∎" }));
  assert.equal(claim?.id, "Zoë ∎");
  assert.equal(claim?.key, "eu_1");
});

test("it ends, must end within a day, and needs the right key", async () => {
  assert.ok(!holds(await signed({ exp: nowSeconds }), hmac));
  assert.ok(holds(await signed({ exp: nowSeconds + MAX_LIFE_SECONDS }), hmac));
  assert.ok(!holds(await signed({ exp: nowSeconds + MAX_LIFE_SECONDS + 61 }), hmac));
  assert.ok(!holds(await signed(), { algorithm: "HS256", secret: Buffer.alloc(32, 8) }));
  assert.ok(!holds(await signed({ alg: "EdDSA" }), hmac));
  assert.ok(!holds(await signed(), eddsa));
});

test("the header can't choose another algorithm: neither none nor the public key as a secret", async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = part({ sub: "victim", exp: nowSeconds + 600 });
  const none = `${part({ alg: "none", kid: "eu_1" })}.${payload}.AA`;
  assert.equal(parseEndUserClaim(none), null);
  const confused = `${part({ alg: "HS256", kid: "eu_1" })}.${payload}`;
  const pem = pair.publicKey.export({ type: "spki", format: "pem" });
  const signature = createHmac("sha256", pem).update(confused).digest("base64url");
  assert.ok(!holds(`${confused}.${signature}`, eddsa));
  const critical = `${part({ alg: "EdDSA", kid: "eu_1", crit: ["b64"], b64: false })}.${payload}`;
  const critically = sign(null, Buffer.from(critical), pair.privateKey).toString("base64url");
  assert.equal(parseEndUserClaim(`${critical}.${critically}`), null);
});

test("any change of one character spoils it", async () => {
  const value = await signed({ alg: "EdDSA" });
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  fc.assert(
    fc.property(fc.nat(value.length - 1), fc.nat(63), (place, other) => {
      const changed = value.slice(0, place) + alphabet[other] + value.slice(place + 1);
      // The last character of the signature carries two bits that stand for nothing: those may differ.
      const same = place === value.length - 1 || changed === value;
      assert.ok(same || !holds(changed, eddsa));
    }),
    { numRuns: 300, seed: 11 },
  );
});

test("everything else is an unsigned id, however long or strange", () => {
  const values = ["", "user-17", "a.b.c", "..", "a.b.c.d", `${"x".repeat(3000)}.a.b`, "\u0000", "é.é.é"];
  for (const value of values) assert.equal(parseEndUserClaim(value), null, value.slice(0, 20));
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (value) => !holds(value, hmac)),
    { numRuns: 300, seed: 12 },
  );
});

test("a pseudonym is one user of one organisation, and tells neither", () => {
  assert.equal(endUserPseudonym("acme", "u1"), endUserPseudonym("acme", "u1"));
  const all = [
    endUserPseudonym("acme", "u1"),
    endUserPseudonym("acme", "u2"),
    endUserPseudonym("other", "u1"),
    endUserPseudonym("acm", "eu1"),
  ];
  assert.equal(new Set(all).size, all.length);
  for (const pseudonym of all) assert.match(pseudonym, /^eu_[A-Za-z0-9_-]{22}$/);
});

test("only Ed25519 public keys are taken", () => {
  const pem = (key: typeof pair.publicKey): string => key.export({ type: "spki", format: "pem" }).toString();
  assert.notEqual(ed25519PublicKey(pem(pair.publicKey)), null);
  assert.equal(ed25519PublicKey(pem(generateKeyPairSync("x25519").publicKey)), null);
  const privatePem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const text of ["", "-----BEGIN PUBLIC KEY-----", privatePem])
    assert.equal(ed25519PublicKey(text), null);
});
