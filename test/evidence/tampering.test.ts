// Proves that a changed bundle is never accepted: every bit of a small one, and thousands of mutations of a larger one.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { PATHS } from "../../src/evidence/verify/layout.ts";
import type { Verdict } from "../../src/evidence/verify/verdict.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { generator, type Random } from "../helpers/random.ts";
import { forged, type Opened, openBundle } from "./forger.ts";
import { FORGERIES } from "./forgeries.ts";
import { type CaseScene, caseScene, shortKeys } from "./scene.ts";

/** Changes to the bytes; each forgery below gets a share of that. */
const MUTATIONS = Number(process.env["ADYTON_MUTATIONS"] ?? 10_000);
const SEED = 20_261_122;

async function verdictOf(bytes: Uint8Array, policy: string): Promise<Verdict> {
  return await verifyBundle(memorySource(bytes), { policy: Buffer.from(policy) });
}

describe("every single bit of a small bundle", () => {
  let scene: CaseScene;
  before(async () => {
    scene = await caseScene({ days: 1, perDay: 1, store: shortKeys(), about: "one-exchange" });
  });
  after(() => scene.end());

  test("matters", async () => {
    const { bytes } = await scene.export({ recordsOnly: true });
    assert.equal((await verdictOf(bytes, scene.policy)).verdict, "verified");
    for (let at = 0; at < bytes.length; at++)
      for (let bit = 1; bit < 256; bit *= 2) {
        const former = bytes[at] ?? 0;
        bytes[at] = former ^ bit;
        const { verdict, reasons } = await verdictOf(bytes, scene.policy);
        bytes[at] = former;
        if (verdict !== "rejected" || reasons.length === 0)
          assert.fail(`byte ${at}, bit ${bit} of ${bytes.length} bytes does not matter: ${verdict}`);
      }
    assert.equal((await verdictOf(bytes, scene.policy)).verdict, "verified");
  });
});

describe("a larger bundle", () => {
  let scene: CaseScene;
  let bytes: Buffer;
  let bundle: Opened;
  before(async () => {
    scene = await caseScene({ days: 1, perDay: 1, store: shortKeys() });
    ({ bytes } = await scene.export());
    bundle = await openBundle(bytes);
  });
  after(() => scene.end());

  test("is rejected after any change to its bytes", async () => {
    const random = generator(SEED);
    for (let round = 0; round < MUTATIONS; round++) {
      const changed = spoil(bytes, random);
      if (changed.equals(bytes)) continue;
      const { verdict, reasons } = await verdictOf(changed, scene.policy);
      assert.equal(verdict, "rejected", `round ${round}`);
      assert.match(reasons[0]?.code ?? "", /^(zip|bundle|bag)-/, `round ${round}`);
    }
  });

  for (const forgery of FORGERIES)
    test(`names the reason when a forger who fits all checksums ${forgery.name}`, async () => {
      const random = generator(SEED);
      const rounds = Math.max(2, Math.floor(MUTATIONS / (FORGERIES.length * 15)));
      for (let round = 0; round < rounds; round++) {
        const changed = forged(bundle, (files) => forgery.change(files, random));
        const { verdict, reasons } = await verdictOf(changed, scene.policy);
        const codes: string[] = reasons.map(({ code }) => code);
        assert.equal(verdict, "rejected", `round ${round}`);
        assert.ok(
          codes.includes(forgery.code),
          `round ${round}: expected ${forgery.code}, got ${codes.join(", ")}`,
        );
        if (forgery.payload)
          assert.ok(
            codes.includes("manifest-not-recorded"),
            `round ${round}: the log did not vouch for the manifest`,
          );
      }
    });

  test("is itself accepted when taken apart and put together again", async () => {
    const { verdict } = await verdictOf(
      forged(bundle, () => {}),
      scene.policy,
    );
    assert.equal(verdict, "verified");
    assert.ok(bundle.files.has(PATHS.firstCheckpoint));
  });

  test("is rejected with the log key of another", async () => {
    const other = await caseScene({ days: 1, perDay: 1, store: shortKeys() });
    try {
      const { reasons } = await verdictOf(bytes, other.policy);
      assert.equal(reasons[0]?.code, "checkpoint-refused");
    } finally {
      await other.end();
    }
  });
});

/** One change that a careless or hostile hand makes to bytes. */
function spoil(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const length = 1 + random.below(400);
  const [start, end] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(6)) {
    case 0: {
      const changed = Buffer.from(bytes);
      for (let i = 0; i < 1 + random.below(4); i++) changed[random.below(bytes.length)] = random.below(256);
      return changed;
    }
    case 1:
      return Buffer.concat([start, end.subarray(length)]); // dropped
    case 2:
      return Buffer.concat([start, end.subarray(0, length), end]); // doubled
    case 3:
      return start; // cut short
    case 4: {
      const from = random.below(bytes.length);
      return Buffer.concat([start, bytes.subarray(from, from + length), end.subarray(length)]); // copied over
    }
    default:
      return Buffer.concat([bytes, Buffer.alloc(length, random.below(256))]); // something behind
  }
}
