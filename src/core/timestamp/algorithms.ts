// Which signature and hash an object identifier means. What is not listed here is not accepted.
import type { CurveName, HashName, SignatureScheme } from "./crypto.ts";
import {
  bitStringBytes,
  contextTag,
  DerFault,
  type DerValue,
  fail,
  integerBytes,
  oidOf,
  readDer,
  smallInteger,
  TAG,
} from "./der.ts";

const HASHES: Readonly<Record<string, HashName>> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
/** What a stamp's proof can rest on, by the names that a configuration uses. RSA keys count by the next shorter length. */
export type StampAlgorithm =
  | ("sha256" | "sha384" | "sha512")
  | ("rsa-2048" | "rsa-3072" | "rsa-4096")
  | ("p-256" | "p-384" | "p-521");
export const STAMP_ALGORITHMS: readonly StampAlgorithm[] = [
  ...(["sha256", "sha384", "sha512"] as const),
  ...(["rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384", "p-521"] as const),
];
const CURVES: Readonly<Record<string, CurveName>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};
const COORDINATE_BYTES: Readonly<Record<CurveName, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 };
const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const RSA_WITH: Readonly<Record<string, HashName>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
};
const ECDSA_WITH: Readonly<Record<string, HashName>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
/** Shorter RSA keys are refused. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 16_384;

/** The hash of an AlgorithmIdentifier, or null where it is none of ours. */
export function hashOf(algorithm: DerValue): HashName | null {
  const members = algorithm.members();
  return HASHES[oidOf(members.take(TAG.oid))] ?? null;
}

/** A signature as the algorithm names it: PKCS #1 keys sign with the hash that stands beside. */
export function schemeOf(
  algorithm: DerValue,
  publicKey: DerValue,
  beside: HashName | null,
): SignatureScheme | null {
  const members = algorithm.members();
  const name = oidOf(members.take(TAG.oid));
  const key = keyOf(publicKey);
  if (key === null) return null;
  const ecdsa = ECDSA_WITH[name] ?? (name === EC_PUBLIC_KEY ? beside : null);
  if (key.kind === "ec")
    return ecdsa === null || ecdsa === "sha1" ? null : { kind: "ecdsa", hash: ecdsa, curve: key.curve };
  if (name === RSA_PSS) return pssOf(members.optional(TAG.sequence));
  const rsa = RSA_WITH[name] ?? (name === RSA_ENCRYPTION ? beside : null);
  return rsa === null || rsa === "sha1" ? null : { kind: "rsa-pkcs1", hash: rsa };
}

/** RSASSA-PSS-params (RFC 4055 section 3.1); the defaults are SHA-1 and so refused. */
function pssOf(parameters: DerValue | null): SignatureScheme | null {
  if (parameters === null) return null;
  const members = parameters.members();
  const hash = members.optional(contextTag(0))?.children()[0];
  const mask = members.optional(contextTag(1))?.children()[0];
  const salt = members.optional(contextTag(2))?.children()[0];
  if (hash === undefined || mask === undefined) return null;
  const name = hashOf(hash);
  const maskMembers = mask.members();
  if (oidOf(maskMembers.take(TAG.oid)) !== MGF1) return null;
  if (name === null || name === "sha1" || hashOf(maskMembers.take(TAG.sequence)) !== name) return null;
  const saltBytes = salt === undefined ? 20 : smallInteger(integerBytes(salt));
  return { kind: "rsa-pss", hash: name, saltBytes };
}

type Key =
  | { readonly kind: "rsa"; readonly bits: number }
  | { readonly kind: "ec"; readonly curve: CurveName };

/** What kind of key a SubjectPublicKeyInfo holds; null: none that we trust. */
function keyOf(publicKey: DerValue): Key | null {
  const members = publicKey.members();
  const algorithm = members.take(TAG.sequence).members();
  const name = oidOf(algorithm.take(TAG.oid));
  if (name === EC_PUBLIC_KEY) {
    const curve = CURVES[oidOf(algorithm.take(TAG.oid))];
    return curve === undefined ? null : { kind: "ec", curve };
  }
  if (name !== RSA_ENCRYPTION) return null;
  const modulus = integerBytes(
    readDer(bitStringBytes(members.take(TAG.bitString)))
      .members()
      .take(TAG.integer),
  );
  const bits = (modulus[0] === 0 ? modulus.length - 1 : modulus.length) * 8;
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS ? { kind: "rsa", bits } : null;
}

/** The name of a key's algorithm; null: none that we trust. */
export function keyAlgorithm(publicKey: DerValue): StampAlgorithm | null {
  const key = keyOf(publicKey);
  if (key === null) return null;
  if (key.kind === "ec") return key.curve === "P-256" ? "p-256" : key.curve === "P-384" ? "p-384" : "p-521";
  return key.bits >= 4096 ? "rsa-4096" : key.bits >= 3072 ? "rsa-3072" : "rsa-2048";
}

/** The object identifier of a hash. */
export function oidOfHash(hash: HashName): string {
  return Object.entries(HASHES).find(([, name]) => name === hash)?.[0] ?? "";
}

/** The signature as the port takes it: of ECDSA, r and s in equal lengths; of RSA as it is. Null: none of its kind. */
export function signatureBytes(scheme: SignatureScheme, signature: Uint8Array): Uint8Array | null {
  if (scheme.kind !== "ecdsa") return signature;
  try {
    return sideBySide(scheme, signature);
  } catch (error) {
    if (error instanceof DerFault) return null;
    throw error;
  }
}

function sideBySide(scheme: { readonly curve: CurveName }, signature: Uint8Array): Uint8Array {
  const length = COORDINATE_BYTES[scheme.curve];
  const members = readDer(signature).members();
  const both = new Uint8Array(2 * length);
  for (const half of [0, 1]) {
    const bytes = integerBytes(members.take(TAG.integer));
    const bare = bytes[0] === 0 ? bytes.subarray(1) : bytes;
    if (bare.length > length) fail("expected a signature of the curve");
    both.set(bare, (half + 1) * length - bare.length);
  }
  members.end();
  return both;
}
