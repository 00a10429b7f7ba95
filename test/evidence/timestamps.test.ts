// Proves that timestamps travel in a bundle and are held to account, with openssl as the authority.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { utf8 } from "../../src/core/bytes.ts";
import { encodeTimestampRequest, nonceOf } from "../../src/core/timestamp/request.ts";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { stampPaths } from "../../src/evidence/verify/layout.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { OPENSSL_MISSING, TestAuthority } from "../helpers/timestamp-authority.ts";
import { forged, openBundle } from "./forger.ts";
import { type CaseScene, caseScene } from "./scene.ts";

const options = { skip: OPENSSL_MISSING };
let scene: CaseScene;
let authority: TestAuthority;
let bytes: Buffer;

before(async () => {
  if (OPENSSL_MISSING !== false) return;
  scene = await caseScene({ days: 1, perDay: 1 });
  authority = TestAuthority.make();
  const { note, size } = await scene.log.checkpoint();
  const text = note.slice(0, note.indexOf("\n\n") + 1);
  const digest = createHash("sha256").update(text).digest();
  const token = authority.reply(encodeTimestampRequest(digest, nonceOf(Buffer.alloc(16, 5))));
  const stamps = [{ size, note, token, root: authority.root }];
  ({ bytes } = await scene.export({ stamps, recordsOnly: true }));
});
after(async () => {
  await scene?.end();
  authority?.remove();
});

test("a timestamp is verified with the reader's root, or on the bundle's own word", options, async () => {
  const policy = utf8(scene.policy);
  const own = await verifyBundle(memorySource(bytes), { policy });
  assert.deepEqual(own.reasons, []);
  assert.match(own.proved?.timestamps[0] ?? "", /Authority for tests.*own word$/);
  const timestampRoots = [authority.root];
  const anchored = await verifyBundle(memorySource(bytes), { policy, timestampRoots });
  assert.equal(anchored.verdict, "verified");
  assert.match(
    anchored.proved?.timestamps[0] ?? "",
    /^\d{4}-\d\d-\d\dT.* on \d+ records, by .*Authority for tests/,
  );
});

test("a timestamp under another root, or with a byte changed, is refused", options, async () => {
  const other = TestAuthority.make();
  try {
    const foreign = await verifyBundle(memorySource(bytes), {
      policy: utf8(scene.policy),
      timestampRoots: [other.root],
    });
    assert.deepEqual(
      foreign.reasons.map(({ code }) => code),
      ["timestamp-refused"],
    );
  } finally {
    other.remove();
  }
  const changed = forged(await openBundle(bytes), (files) => {
    const { token } = stampPaths(1);
    const der = Buffer.from(files.get(token) ?? []);
    der[der.length - 5] = (der[der.length - 5] ?? 0) ^ 1;
    files.set(token, der);
  });
  const { reasons } = await verifyBundle(memorySource(changed), { policy: utf8(scene.policy) });
  assert.ok(reasons.some(({ code }) => code === "timestamp-refused"));
});
