// Verifies an RFC 3161 timestamp offline: what it is about, the authority's signature, and its certificates up to a root.
import type { StampAlgorithm } from "./algorithms.ts";
import type { Certificate } from "./certificate.ts";
import { nameText } from "./certificate.ts";
import { ChainSearch, isSignedBy, type ReadRoot, readCertificate, type TimestampRoot } from "./chain.ts";
import type { HashName, TimestampCrypto } from "./crypto.ts";
import { DerFault, sameBytes } from "./der.ts";
import { algorithmsOf } from "./strength.ts";
import { type ParseFault, parseTimestamp, type Signer, type Timestamp } from "./token.ts";

/** Purpose by which a certificate may sign timestamps, and nothing else (RFC 3161 section 2.3). */
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
/** Roots, and further certificates, that are looked at. */
const MAX_GIVEN = 256;

/** What was stamped: the bytes, or their digest by the hash that the stamp must have used. */
export type Stamped =
  | { readonly message: Uint8Array }
  | { readonly digest: Uint8Array; readonly hash: HashName };

export type TimestampOptions = Stamped & {
  readonly roots: readonly TimestampRoot[];
  /** Further certificates, DER: authorities may leave theirs out of the stamp. */
  readonly certificates?: readonly Uint8Array[];
  /** Content bytes of the nonce that was sent; a stamp with another one answers another request. */
  readonly nonce?: Uint8Array;
};

/**
 * Why a timestamp was refused. `wrong-digest`: it is about something else; `wrong-nonce`: it answers another request;
 * `no-certificate`: the signer's is nowhere; `wrong-certificate`: it is another than the stamp says, or may not sign
 * timestamps; `bad-signature`: the stamp's own, or its digest of itself; `untrusted`: no chain of signatures to a root
 * that was valid at the time; `malformed`, `not-granted`, `unsupported`: see `ParseFault`.
 */
export type TimestampFault =
  | ParseFault
  | "wrong-digest"
  | "wrong-nonce"
  | "no-certificate"
  | "wrong-certificate"
  | "bad-signature"
  | "untrusted";

export interface VerifiedTimestamp {
  /** When, milliseconds since 1970 UTC; the truth lies within `accuracyMs` of it. */
  readonly timeMs: number;
  readonly accuracyMs: number;
  /** Subject of the authority's certificate, for people. */
  readonly authority: string;
  /** Object identifier of the policy under which it was made. */
  readonly policy: string;
  /** The authority's certificate first, the root last, DER. */
  readonly chain: readonly Uint8Array[];
  /** When the first certificate of the chain expires: renew the proof before. Milliseconds since 1970 UTC. */
  readonly expiresMs: number;
  /** Hashes and kinds of key that the proof rests on: renew it before one of them falls. */
  readonly algorithms: readonly StampAlgorithm[];
}

type Refused = { readonly fault: TimestampFault };

/** Never throws on hostile input. The time of verifying plays no part: what counts is the time of the stamp. */
export async function verifyTimestamp(
  der: Uint8Array,
  options: TimestampOptions,
  crypto: TimestampCrypto,
): Promise<VerifiedTimestamp | Refused> {
  const stamp = parseTimestamp(der);
  if ("fault" in stamp) return stamp;
  if (!(await isAbout(stamp, options, crypto))) return { fault: "wrong-digest" };
  if (options.nonce !== undefined && !sameBytes(options.nonce, stamp.nonce ?? new Uint8Array()))
    return { fault: "wrong-nonce" };
  try {
    return await verifySigner(stamp, options, crypto);
  } catch (error) {
    if (error instanceof DerFault) return { fault: "malformed" };
    throw error;
  }
}

async function isAbout({ imprint }: Timestamp, about: Stamped, crypto: TimestampCrypto): Promise<boolean> {
  if ("message" in about) return sameBytes(imprint.digest, await crypto.digest(imprint.hash, about.message));
  return about.hash === imprint.hash && sameBytes(imprint.digest, about.digest);
}

async function verifySigner(
  stamp: Timestamp,
  options: TimestampOptions,
  crypto: TimestampCrypto,
): Promise<VerifiedTimestamp | Refused> {
  const { signer, timeMs } = stamp;
  const roots = readRoots(options.roots);
  const given = (options.certificates ?? []).slice(0, MAX_GIVEN).map(readCertificate);
  const all = [...stamp.certificates, ...given, ...roots.map(({ parsed }) => parsed)];
  const known = all.filter((certificate) => certificate !== null);
  const named = known.filter((certificate) => isNamedBy(certificate, signer));
  if (named.length === 0) return { fault: "no-certificate" };
  const certificate = await meantBy(named, signer, crypto);
  if (certificate === null || !mayStamp(certificate)) return { fault: "wrong-certificate" };
  if (!sameBytes(await crypto.digest(signer.hash, stamp.content), signer.messageDigest))
    return { fault: "bad-signature" };
  const { algorithm, signature, signed: message, hash } = signer;
  const own = await isSignedBy(certificate, { algorithm, signature, message, hash }, crypto);
  if (own !== "yes") return { fault: own === "no" ? "bad-signature" : "unsupported" };
  const chain = await new ChainSearch({ known, roots, timeMs, crypto }).from(certificate);
  if (chain === null) return { fault: "untrusted" };
  return {
    timeMs,
    accuracyMs: stamp.accuracyMs,
    authority: nameText(certificate.subject),
    policy: stamp.policy,
    chain: chain.map(({ der }) => der),
    expiresMs: Math.min(...chain.map(({ notAfterMs }) => notAfterMs)),
    algorithms: algorithmsOf(stamp, chain),
  };
}

function readRoots(roots: readonly TimestampRoot[]): ReadRoot[] {
  return roots.slice(0, MAX_GIVEN).flatMap((root) => {
    const parsed = readCertificate(root.certificate);
    return parsed === null ? [] : [{ ...root, parsed }];
  });
}

function isNamedBy(certificate: Certificate, { issuer, serial, subjectKeyId }: Signer): boolean {
  if (subjectKeyId !== null)
    return certificate.subjectKeyId !== null && sameBytes(certificate.subjectKeyId, subjectKeyId);
  if (issuer === null || serial === null) return false;
  return sameBytes(certificate.issuer, issuer) && sameBytes(certificate.serial, serial);
}

/** The one with the hash that the signer put under its signature, so that no other can be slipped in. */
async function meantBy(
  named: readonly Certificate[],
  { certificateHash }: Signer,
  crypto: TimestampCrypto,
): Promise<Certificate | null> {
  for (const certificate of named)
    if (sameBytes(await crypto.digest(certificateHash.hash, certificate.der), certificateHash.digest))
      return certificate;
  return null;
}

/** The extended key usage must be critical and timestamping alone. */
function mayStamp({ purposes, signsData }: Certificate): boolean {
  return signsData && purposes?.critical === true && purposes.oids.join() === TIME_STAMPING;
}
