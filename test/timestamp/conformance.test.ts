// Another project's timestamps and checkpoints: what it expects to fail must fail here, and for the reason it gives.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { leafHash } from "../../src/core/merkle.ts";
import { verifyInclusion } from "../../src/core/merkle-verify.ts";
import type { TimestampRoot } from "../../src/core/timestamp/chain.ts";
import { webTimestampCrypto } from "../../src/core/timestamp/crypto.ts";
import { verifyTimestamp } from "../../src/core/timestamp/verify.ts";
import { ED25519_NOTE, type VerifierKey, verifierKey } from "../../src/core/verifier-key.ts";

const FOLDER = join(
  import.meta.dirname,
  "../../../shared/vectors/sigstore-conformance/test/assets/bundle-verify",
);
const skip = existsSync(FOLDER) ? false : "sigstore-conformance is not in ../shared/vectors";
const crypto = webTimestampCrypto(globalThis.crypto.subtle);

// One bundle has line breaks in it.
const base64 = z.string().transform((text) => Buffer.from(text, "base64"));
const time = z.iso.datetime().transform((text) => Date.parse(text));
const window = z.looseObject({ start: time.optional(), end: time.nullish() });
const BUNDLE = z.looseObject({
  messageSignature: z.looseObject({ signature: base64 }).optional(),
  dsseEnvelope: z.looseObject({ signatures: z.array(z.looseObject({ sig: base64 })) }).optional(),
  verificationMaterial: z.looseObject({
    timestampVerificationData: z
      .looseObject({ rfc3161Timestamps: z.array(z.looseObject({ signedTimestamp: base64 })).default([]) })
      .optional(),
    tlogEntries: z.array(
      z.looseObject({
        canonicalizedBody: base64,
        inclusionProof: z
          .looseObject({
            logIndex: z.string(),
            hashes: z.array(base64).default([]),
            checkpoint: z.looseObject({ envelope: z.string() }),
          })
          .optional(),
      }),
    ),
  }),
});
const ROOT = z.looseObject({
  tlogs: z.array(
    z.looseObject({
      baseUrl: z.string(),
      publicKey: z.looseObject({ rawBytes: base64, keyDetails: z.string() }),
    }),
  ),
  timestampAuthorities: z
    .array(
      z.looseObject({
        certChain: z.looseObject({ certificates: z.array(z.looseObject({ rawBytes: base64 })) }),
        validFor: window.optional(),
      }),
    )
    .default([]),
});

interface Case {
  readonly bundle: z.infer<typeof BUNDLE>;
  readonly root: z.infer<typeof ROOT>;
}

function read(name: string): Case {
  const json = (file: string): unknown => JSON.parse(readFileSync(join(FOLDER, name, file), "utf8"));
  return { bundle: BUNDLE.parse(json("bundle.sigstore.json")), root: ROOT.parse(json("trusted_root.json")) };
}

async function stampOf({ bundle, root }: Case): Promise<string> {
  const [stamp] = bundle.verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
  const message = bundle.messageSignature?.signature ?? bundle.dsseEnvelope?.signatures[0]?.sig;
  if (stamp === undefined || message === undefined) return "none";
  const chains = root.timestampAuthorities.map(({ certChain, validFor }) => ({
    certificates: certChain.certificates.map(({ rawBytes }) => rawBytes),
    validFor,
  }));
  const roots = chains.flatMap(({ certificates, validFor }): TimestampRoot[] => {
    const certificate = certificates.at(-1);
    if (certificate === undefined) return [];
    const from = validFor?.start === undefined ? {} : { fromMs: validFor.start };
    const until = validFor?.end == null ? {} : { untilMs: validFor.end };
    return [{ certificate, ...from, ...until }];
  });
  const certificates = chains.flatMap((chain) => chain.certificates);
  const result = await verifyTimestamp(stamp.signedTimestamp, { message, roots, certificates }, crypto);
  return "fault" in result ? result.fault : "verified";
}

/** Every case whose stamp alone decides, and what must come of it; the others' stamps are good. */
const STAMPS: Readonly<Record<string, string>> = {
  "rekor2-no-timestamp_fail": "none",
  "rekor2-timestamp-outside-trust-root-tsa-validity_fail": "untrusted",
  "rekor2-timestamp-outside-tsa-cert-validity_fail": "untrusted",
  "rekor2-timestamp-payload-mismatch_fail": "wrong-digest",
  "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail": "untrusted",
  "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": "no-certificate",
};
/** What fails there because of the signed artifact's own signature takes the stamp along. */
const ABOUT_ANOTHER =
  /^(rekor2-dsse-(invalid-sig|mismatch-sig)_fail|managed-key|intoto-(expired|log|set|missing))/;

test("timestamps", { skip }, async (t) => {
  let seen = 0;
  for (const name of readdirSync(FOLDER)) {
    if (!existsSync(join(FOLDER, name, "trusted_root.json")) || ABOUT_ANOTHER.test(name)) continue;
    const { bundle, root } = read(name);
    const has = bundle.verificationMaterial.timestampVerificationData?.rfc3161Timestamps.length ?? 0;
    if (has === 0 && !(name in STAMPS)) continue;
    seen += 1;
    await t.test(name, async () => {
      assert.equal(await stampOf({ bundle, root }), STAMPS[name] ?? "verified");
    });
  }
  assert.ok(seen >= 25, `expected most of the cases, got ${seen}`);
});

/** Keys of the log that signed; the note keys of Ed25519 logs are the specification's own. */
function logKeys({ root }: Case): VerifierKey[] {
  return root.tlogs
    .filter(({ publicKey }) => publicKey.keyDetails === "PKIX_ED25519")
    .map(({ baseUrl, publicKey }) =>
      verifierKey(new URL(baseUrl).host, ED25519_NOTE, publicKey.rawBytes.subarray(-32)),
    );
}

function checkpointOf(one: Case): string {
  const [entry] = one.bundle.verificationMaterial.tlogEntries;
  const proof = entry?.inclusionProof;
  if (entry === undefined || proof === undefined) return "none";
  const bytes = new TextEncoder().encode(proof.checkpoint.envelope);
  const opened = openCheckpoint(bytes, { keys: logKeys(one) });
  if ("fault" in opened) return opened.fault;
  if (!opened.verified.some(({ key }) => key.name === opened.origin)) return "wrong-origin";
  const { size, root } = opened;
  const claim = { index: Number(proof.logIndex), size, leaf: leafHash(entry.canonicalizedBody), root };
  return verifyInclusion(claim, proof.hashes) ? "verified" : "not-included";
}

const CHECKPOINTS: Readonly<Record<string, string>> = {
  "rekor2-checkpoint-cosigned": "verified",
  "rekor2-checkpoint-missing-log-signature_fail": "no-signatures",
  "rekor2-checkpoint-missing-origin_fail": "bad-signature",
  "rekor2-checkpoint-missing-root-hash_fail": "bad-signature",
  "rekor2-checkpoint-missing-size_fail": "bad-signature",
  "rekor2-checkpoint-multiple-cosigs": "verified",
  "rekor2-checkpoint-no-matching-signature_fail": "no-trusted-signature",
  "rekor2-checkpoint-origin-not-first": "verified",
  "rekor2-checkpoint-two-sigs-cosigned": "verified",
  "rekor2-checkpoint-two-sigs-from-origin": "verified",
  "rekor2-happy-path": "verified",
  "rekor2-no-inclusion-proof_fail": "none",
};

test("checkpoints", { skip }, async (t) => {
  for (const [name, expected] of Object.entries(CHECKPOINTS))
    await t.test(name, () => assert.equal(checkpointOf(read(name)), expected));
});
