// The signed id of a tenant's own user: a small, strict part of JSON Web Signature (RFC 7515) that any JWT library writes.
import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { EndUserAlgorithm } from "./identity.ts";

/** The request header. Its value is never forwarded upstream as an identity and never trusted unsigned. */
export const END_USER_HEADER = "adyton-end-user";

/** Longest value that is looked at. */
const MAX_VALUE_CHARACTERS = 2048;
const MAX_ID_CHARACTERS = 256;
/** A signed id may be used again until it ends, and must end within a day; a clock may be this far ahead. */
export const MAX_LIFE_SECONDS: number = 86_400;
const SKEW_SECONDS = 60;
const PSEUDONYM_CHARACTERS = 22;
const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** What the header said, before its signature was checked: the key it names, nothing to rely on. */
export interface EndUserClaim {
  readonly algorithm: EndUserAlgorithm;
  readonly key: string;
  readonly id: string;
  readonly expiresSeconds: number;
  /** What was signed, and the signature. */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** A key of an organisation as signatures are checked with it. `secret` for HS256, a public key for EdDSA. */
export type EndUserVerifier =
  | { readonly algorithm: "HS256"; readonly secret: Uint8Array }
  | { readonly algorithm: "EdDSA"; readonly publicKey: KeyObject };

/**
 * Takes apart a value of the form `header.payload.signature`; null for anything else, which is an unsigned id.
 * The header needs `alg` and `kid`, the payload `sub` and `exp`. Everything in it is attacker-controlled.
 */
export function parseEndUserClaim(value: string): EndUserClaim | null {
  if (value.length > MAX_VALUE_CHARACTERS) return null;
  const [, header = "", payload = "", signature = ""] = FORM.exec(value) ?? [];
  const head = object(header);
  const body = object(payload);
  if (head === null || body === null) return null;
  const { alg, kid, crit } = head;
  const { sub, exp } = body;
  // "none" and every other algorithm end here; extensions that must be understood are not.
  if ((alg !== "HS256" && alg !== "EdDSA") || crit !== undefined) return null;
  if (typeof kid !== "string" || typeof sub !== "string" || typeof exp !== "number") return null;
  if (sub === "" || sub.length > MAX_ID_CHARACTERS || !sub.isWellFormed() || !Number.isFinite(exp))
    return null;
  return {
    algorithm: alg,
    key: kid,
    id: sub,
    expiresSeconds: exp,
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

/** Whether the claim is alive now and was signed with the key. The key decides the algorithm, never the header. */
export function endUserClaimHolds(
  claim: EndUserClaim,
  key: EndUserVerifier,
  { nowSeconds }: { nowSeconds: number },
): boolean {
  if (claim.algorithm !== key.algorithm) return false;
  if (claim.expiresSeconds <= nowSeconds) return false;
  if (claim.expiresSeconds > nowSeconds + MAX_LIFE_SECONDS + SKEW_SECONDS) return false;
  if (key.algorithm === "EdDSA") {
    return verify(null, Buffer.from(claim.signed), key.publicKey, claim.signature);
  }
  const expected = createHmac("sha256", key.secret).update(claim.signed).digest();
  return claim.signature.length === expected.length && timingSafeEqual(claim.signature, expected);
}

/** Stands for a tenant's user wherever one is counted or limited: the id itself stays in the encrypted record. */
export function endUserPseudonym(organization: string, id: string): string {
  const digest = createHash("sha256")
    .update(`adyton end user v1\0${organization}\0${id}`)
    .digest("base64url");
  return `eu_${digest.slice(0, PSEUDONYM_CHARACTERS)}`;
}

/** An Ed25519 public key in PEM (SPKI); null for anything else, above all for a private key. */
export function ed25519PublicKey(pem: string): KeyObject | null {
  // Node would take a private key and go on with its public half; a private key must not even be stored.
  if (!pem.trimStart().startsWith("-----BEGIN PUBLIC KEY-----")) return null;
  try {
    const key = createPublicKey({ key: pem, format: "pem", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

function object(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
