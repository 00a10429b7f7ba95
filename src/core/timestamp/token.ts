// Takes an RFC 3161 response apart: status, signed data (RFC 5652) and what the authority says in it. Verifies nothing.
import { hashOf } from "./algorithms.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { HashName } from "./crypto.ts";
import {
  booleanOf,
  contextTag,
  DerFault,
  type DerValue,
  encodeDer,
  fail,
  integerBytes,
  oidOf,
  readDer,
  smallInteger,
  TAG,
  timeMsOf,
} from "./der.ts";

/** Longest response that is read; honest ones with long chains take 8 kB. */
export const MAX_TIMESTAMP_BYTES: number = 64 * 1024;
const MAX_CERTIFICATES = 16;
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const ATTRIBUTE = {
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingCertificate: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
} as const;

/** A timestamp as it claims to be. */
export interface Timestamp {
  /** When, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** How far off the authority says it may be, milliseconds; 0 where it says nothing. */
  readonly accuracyMs: number;
  readonly imprint: { readonly hash: HashName; readonly digest: Uint8Array };
  /** Object identifier of the authority's policy. */
  readonly policy: string;
  readonly serial: Uint8Array;
  /** Content bytes of the nonce's integer. */
  readonly nonce: Uint8Array | null;
  readonly certificates: readonly Certificate[];
  readonly signer: Signer;
  /** TSTInfo, DER: what the signed attributes are about. */
  readonly content: Uint8Array;
}

/** The one who signed (SignerInfo). */
export interface Signer {
  readonly issuer: Uint8Array | null;
  readonly serial: Uint8Array | null;
  readonly subjectKeyId: Uint8Array | null;
  readonly hash: HashName;
  readonly algorithm: DerValue;
  readonly signature: Uint8Array;
  /** The signed attributes, as the signature covers them. */
  readonly signed: Uint8Array;
  readonly messageDigest: Uint8Array;
  /** Hash of the certificate that it says it signed with (ESSCertID, RFC 2634, RFC 5816). */
  readonly certificateHash: { readonly hash: HashName; readonly digest: Uint8Array };
}

/**
 * Parses a TimeStampResp. `malformed`: no strict DER of that form; `not-granted`: the authority refused;
 * `unsupported`: well-formed, but with an algorithm or a critical extension that is not accepted here.
 */
export type ParseFault = "malformed" | "not-granted" | "unsupported";

class Unsupported extends DerFault {}

function unsupported(what: string): never {
  throw new Unsupported(what);
}

/** Never throws: what comes back is a timestamp nobody has verified yet, or a fault. */
export function parseTimestamp(der: Uint8Array): Timestamp | { readonly fault: ParseFault } {
  try {
    if (der.length > MAX_TIMESTAMP_BYTES) return { fault: "malformed" };
    const response = readDer(der).members();
    const status = smallInteger(integerBytes(response.take(TAG.sequence).members().take(TAG.integer)));
    const token = response.optional(TAG.sequence);
    response.end();
    if (status > 1 || token === null) return { fault: "not-granted" };
    return readToken(token);
  } catch (error) {
    if (error instanceof Unsupported) return { fault: "unsupported" };
    if (error instanceof DerFault) return { fault: "malformed" };
    throw error;
  }
}

function only(values: readonly DerValue[]): DerValue {
  const [value] = values;
  return value === undefined || values.length > 1 ? fail("expected exactly one value") : value;
}

function readToken(token: DerValue): Timestamp {
  const info = token.members();
  if (oidOf(info.take(TAG.oid)) !== SIGNED_DATA) fail("expected signed data");
  const data = only(info.take(contextTag(0)).children()).members();
  info.end();
  data.take(TAG.integer); // version
  data.take(TAG.set); // digest algorithms, which the signer names again
  const encapsulated = data.take(TAG.sequence).members();
  if (oidOf(encapsulated.take(TAG.oid)) !== TST_INFO) fail("expected a timestamp inside");
  const content = only(encapsulated.take(contextTag(0)).children()).expect(TAG.octetString).content;
  encapsulated.end();
  const given = data.optional(contextTag(0))?.children() ?? [];
  data.optional(contextTag(1)); // revocation lists
  const signer = readSigner(only(data.take(TAG.set).children()));
  data.end();
  if (given.length > MAX_CERTIFICATES) fail("too many certificates");
  const certificates = given
    .filter(({ tag }) => tag === TAG.sequence)
    .map(({ whole }) => parseCertificate(whole));
  return { ...readInfo(content), certificates, signer, content };
}

type Info = Omit<Timestamp, "certificates" | "signer" | "content">;

/** TSTInfo (RFC 3161 section 2.4.2). */
function readInfo(content: Uint8Array): Info {
  const members = readDer(content).members();
  if (smallInteger(integerBytes(members.take(TAG.integer))) !== 1) unsupported("expected version 1");
  const policy = oidOf(members.take(TAG.oid));
  const imprint = members.take(TAG.sequence).members();
  const hash = hashOf(imprint.take(TAG.sequence));
  const digest = imprint.take(TAG.octetString).content;
  imprint.end();
  if (hash === null || hash === "sha1") return unsupported("expected an imprint by a hash that is safe");
  const serial = integerBytes(members.take(TAG.integer));
  const timeMs = timeMsOf(members.take(TAG.generalizedTime));
  const accuracyMs = accuracyOf(members.optional(TAG.sequence));
  const ordering = members.optional(TAG.boolean);
  if (ordering !== null) booleanOf(ordering);
  const nonce = members.optional(TAG.integer);
  members.optional(contextTag(0)); // the authority's name, which its certificate says better
  for (const extension of members.optional(contextTag(1))?.children() ?? []) {
    const parts = extension.members();
    parts.take(TAG.oid);
    const critical = parts.optional(TAG.boolean);
    if (critical !== null && booleanOf(critical)) unsupported("a critical extension is not understood");
  }
  members.end();
  return {
    timeMs,
    accuracyMs,
    imprint: { hash, digest },
    policy,
    serial,
    nonce: nonce === null ? null : integerBytes(nonce),
  };
}

function accuracyOf(accuracy: DerValue | null): number {
  if (accuracy === null) return 0;
  const members = accuracy.members();
  const part = (tag: number): number => {
    const value = members.optional(tag);
    return value === null ? 0 : smallInteger(value.content);
  };
  const seconds = part(TAG.integer);
  const millis = part(contextTag(0, { primitive: true }));
  const micros = part(contextTag(1, { primitive: true }));
  members.end();
  return seconds * 1000 + millis + Math.ceil(micros / 1000);
}

function readSigner(value: DerValue): Signer {
  const members = value.members();
  members.take(TAG.integer); // version
  const byName = members.optional(TAG.sequence)?.members() ?? null;
  const issuer = byName?.take(TAG.sequence).whole ?? null;
  const serial = byName === null ? null : integerBytes(byName.take(TAG.integer));
  const byKey = byName === null ? members.take(contextTag(0, { primitive: true })).content : null;
  const hash = hashOf(members.take(TAG.sequence));
  if (hash === null || hash === "sha1") return unsupported("expected a digest by a hash that is safe");
  const attributes = members.take(contextTag(0));
  const algorithm = members.take(TAG.sequence);
  const signature = members.take(TAG.octetString).content;
  members.optional(contextTag(1)); // unsigned attributes
  members.end();
  return {
    issuer,
    serial,
    subjectKeyId: byKey,
    hash,
    algorithm,
    signature,
    // The signature is over a SET, although the attributes stand there under an implicit tag (RFC 5652 section 5.4).
    signed: encodeDer(TAG.set, attributes.content),
    ...readAttributes(attributes.children()),
  };
}

function readAttributes(attributes: readonly DerValue[]): Pick<Signer, "messageDigest" | "certificateHash"> {
  const values = new Map<string, DerValue>();
  for (const attribute of attributes) {
    const members = attribute.members();
    const oid = oidOf(members.take(TAG.oid));
    const set = members.take(TAG.set).children();
    members.end();
    if (values.has(oid)) fail("an attribute stands twice");
    const [value] = set;
    if (value !== undefined && set.length === 1) values.set(oid, value);
  }
  const type = values.get(ATTRIBUTE.contentType);
  if (type === undefined || oidOf(type) !== TST_INFO)
    fail("expected the content's type among the attributes");
  const digest = values.get(ATTRIBUTE.messageDigest) ?? fail("expected the content's digest");
  const newer = values.get(ATTRIBUTE.signingCertificateV2);
  const older = values.get(ATTRIBUTE.signingCertificate);
  const named = newer ?? older ?? fail("expected the signer's certificate among the attributes");
  return {
    messageDigest: digest.expect(TAG.octetString).content,
    certificateHash: certificateHashOf(named, newer === undefined ? "sha1" : "sha256"),
  };
}

/** The first certificate named is the signer's (RFC 5035 section 3). `usual`: the hash where none is named. */
function certificateHashOf(value: DerValue, usual: HashName): Signer["certificateHash"] {
  const first = value.members().take(TAG.sequence).children()[0]?.members() ?? fail("expected a certificate");
  const algorithm = usual === "sha256" ? first.optional(TAG.sequence) : null;
  const hash = algorithm === null ? usual : hashOf(algorithm);
  if (hash === null) return unsupported("expected a hash that is known");
  return { hash, digest: first.take(TAG.octetString).content };
}
