// Timestamps made by openssl, the test authority: verified, and refused for the right reason when anything is changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webTimestampCrypto } from "../../src/core/timestamp/crypto.ts";
import { encodeTimestampRequest, nonceOf } from "../../src/core/timestamp/request.ts";
import { parseTimestamp } from "../../src/core/timestamp/token.ts";
import { type TimestampFault, verifyTimestamp } from "../../src/core/timestamp/verify.ts";
import { type AuthorityKey, OPENSSL_MISSING, TestAuthority } from "../helpers/timestamp-authority.ts";

const crypto = webTimestampCrypto(globalThis.crypto.subtle);
const message = Buffer.from("what was signed at that time\n");
const nonce = nonceOf(Uint8Array.from({ length: 16 }, (_, i) => 255 - i));

async function requestOf(bytes: Uint8Array): Promise<Uint8Array> {
  return encodeTimestampRequest(await crypto.digest("sha256", bytes), nonce);
}

for (const key of ["rsa", "P-256", "P-384"] satisfies AuthorityKey[]) {
  test(`a stamp by an authority with a key of ${key} verifies, by both forms of naming its certificate`, {
    skip: OPENSSL_MISSING,
  }, async (t) => {
    const authority = TestAuthority.make({ key });
    t.after(() => authority.remove());
    const before = Math.floor(Date.now() / 1000) * 1000;
    for (const section of ["service", "old"] as const) {
      const response = authority.reply(await requestOf(message), section);
      assert.equal(authority.accepts(response, message), true);
      const roots = [{ certificate: authority.root }];
      const verified = await verifyTimestamp(response, { message, roots, nonce }, crypto);
      assert.ok(!("fault" in verified), JSON.stringify(verified));
      assert.ok(verified.timeMs >= before && verified.timeMs <= Date.now());
      assert.equal(verified.authority, "CN=Authority for tests, O=Test");
      assert.equal(verified.policy, "1.2.3.4.1");
      assert.deepEqual(
        verified.chain.map((der) => Buffer.from(der).toString("hex")),
        [authority.certificate, authority.root].map((der) => Buffer.from(der).toString("hex")),
      );
      assert.equal(verified.accuracyMs, section === "service" ? 1500 : 0);
      assert.ok(verified.expiresMs > Date.now() + 3000 * 86_400_000);
      const hashes = section === "service" ? ["sha256"] : ["sha256", "sha384"];
      const kind = key === "rsa" ? "rsa-2048" : key.toLowerCase();
      assert.deepEqual([...verified.algorithms].sort(), [kind, ...hashes].sort());
      const digest = await crypto.digest("sha256", message);
      assert.ok(!("fault" in (await verifyTimestamp(response, { digest, hash: "sha256", roots }, crypto))));
    }
  });
}

test("every change is refused with its reason", { skip: OPENSSL_MISSING }, async (t) => {
  const authority = TestAuthority.make();
  const stranger = TestAuthority.make();
  t.after(() => [authority, stranger].forEach((one) => void one.remove()));
  const response = authority.reply(await requestOf(message));
  const roots = [{ certificate: authority.root }];
  const refused = async (
    expected: TimestampFault,
    der: Uint8Array,
    options: Partial<Parameters<typeof verifyTimestamp>[1]>,
  ): Promise<void> => {
    const result = await verifyTimestamp(der, { message, roots, ...options }, crypto);
    assert.deepEqual("fault" in result ? result.fault : "verified", expected);
  };
  await refused("wrong-digest", response, { message: Buffer.from("something else") });
  await refused("wrong-nonce", response, { nonce: nonceOf(new Uint8Array(16)) });
  await refused("untrusted", response, { roots: [] });
  await refused("untrusted", response, { roots: [{ certificate: stranger.root }] });
  await refused("untrusted", response, {
    roots: [{ certificate: authority.root, untilMs: Date.now() - 86_400_000 }],
  });
  await refused("untrusted", response, {
    roots: [{ certificate: authority.root, fromMs: Date.now() + 86_400_000 }],
  });
  await refused("malformed", response.subarray(0, -1), {});
  await refused("malformed", Buffer.concat([response, Buffer.from([0])]), {});
  await refused("malformed", new Uint8Array(), {});
  const parsed = parseTimestamp(response);
  assert.ok(!("fault" in parsed));
  // The signer's certificate replaced by another of the same name and key: the stamp names the one it meant.
  assert.equal(parsed.certificates.length, 2);
  await refused("wrong-certificate", exchanged(response, parsed.signer.certificateHash.digest), {});
  await refused("bad-signature", exchanged(response, parsed.signer.messageDigest), {});
  await refused("bad-signature", exchanged(response, parsed.signer.signature.subarray(-8)), {});
  await refused("not-granted", Buffer.from("300530030201 02".replace(" ", ""), "hex"), {});
});

/** The response with one bit of `part` (a view's bytes) flipped. */
function exchanged(response: Uint8Array, part: Uint8Array): Uint8Array {
  const at = Buffer.from(response).lastIndexOf(Buffer.from(part));
  assert.ok(at >= 0);
  const bytes = Uint8Array.from(response);
  bytes[at + 4] = (bytes[at + 4] ?? 0) ^ 1;
  return bytes;
}

test("no flipped byte verifies, and none throws", { skip: OPENSSL_MISSING }, async (t) => {
  const authority = TestAuthority.make();
  t.after(() => authority.remove());
  const response = authority.reply(await requestOf(message));
  const roots = [{ certificate: authority.root }];
  const spared: number[] = [];
  for (let at = 0; at < response.length; at++) {
    const bytes = Uint8Array.from(response);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    const result = await verifyTimestamp(bytes, { message, roots, nonce }, crypto);
    if (!("fault" in result)) spared.push(at);
  }
  // What no signature covers: the status, versions, the list of digest algorithms, and the root that is known anyway.
  const parsed = parseTimestamp(response);
  assert.ok(!("fault" in parsed));
  const root = Buffer.from(response).indexOf(Buffer.from(authority.root));
  const outside = spared.filter((at) => at < root || at >= root + authority.root.length);
  assert.ok(outside.length <= 24, `${outside.length}: ${outside}`);
});
