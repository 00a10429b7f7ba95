// X.509 certificates (RFC 5280) as far as the chain of a timestamp authority needs them.
import {
  bitStringBytes,
  booleanOf,
  contextTag,
  type DerValue,
  fail,
  integerBytes,
  oidOf,
  readDer,
  smallInteger,
  TAG,
  timeMsOf,
} from "./der.ts";

/** A certificate larger than this is refused. */
export const MAX_CERTIFICATE_BYTES: number = 16 * 1024;

const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  certificatePolicies: "2.5.29.32",
  extendedKeyUsage: "2.5.29.37",
} as const;
const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTENSION));
/** Bit 5 of keyUsage. */
const KEY_CERT_SIGN = 0x04;
/** Bits 0 and 1: digitalSignature, nonRepudiation. */
const SIGNS_DATA = 0xc0;
const NAME_ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
};

export interface Certificate {
  /** The whole certificate, DER. */
  readonly der: Uint8Array;
  /** What its issuer signed. */
  readonly signed: Uint8Array;
  readonly algorithm: DerValue;
  readonly signature: Uint8Array;
  readonly serial: Uint8Array;
  /** Names as DER: they chain when they are the same bytes. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: DerValue;
  readonly subjectKeyId: Uint8Array | null;
  /** Purposes of the extended key usage extension; null without one. */
  readonly purposes: { readonly critical: boolean; readonly oids: readonly string[] } | null;
  /** May it sign certificates, and how many of them may stand below? Null: it may not. */
  readonly authority: { readonly pathLength: number } | null;
  /** Does its key usage allow it to sign data? */
  readonly signsData: boolean;
  /** A critical extension that we do not understand. */
  readonly hasUnknownCritical: boolean;
}

interface Extensions {
  subjectKeyId: Uint8Array | null;
  purposes: Certificate["purposes"];
  authority: Certificate["authority"];
  usage: number | null;
  hasUnknownCritical: boolean;
}

/** Parses a certificate. Throws DerFault. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) fail("a certificate is too long");
  const outer = readDer(der).members();
  const signed = outer.take(TAG.sequence);
  const algorithm = outer.take(TAG.sequence);
  const signature = bitStringBytes(outer.take(TAG.bitString));
  outer.end();
  const members = signed.members();
  members.optional(contextTag(0)); // version
  const serial = integerBytes(members.take(TAG.integer));
  members.take(TAG.sequence); // the algorithm, again
  const issuer = members.take(TAG.sequence).whole;
  const validity = members.take(TAG.sequence).members();
  const [notBeforeMs, notAfterMs] = [timeMsOf(validity.any()), timeMsOf(validity.any())];
  const subject = members.take(TAG.sequence).whole;
  const publicKey = members.take(TAG.sequence);
  members.optional(contextTag(1, { primitive: true }));
  members.optional(contextTag(2, { primitive: true }));
  const { usage, authority, ...extensions } = extensionsOf(members.optional(contextTag(3)));
  members.end();
  const signsCertificates = usage === null || (usage & KEY_CERT_SIGN) !== 0;
  return {
    der,
    signed: signed.whole,
    algorithm,
    signature,
    serial,
    issuer,
    subject,
    notBeforeMs,
    notAfterMs,
    publicKey,
    ...extensions,
    authority: signsCertificates ? authority : null,
    signsData: usage === null || (usage & SIGNS_DATA) !== 0,
  };
}

function extensionsOf(wrapped: DerValue | null): Extensions {
  const found: Extensions = {
    subjectKeyId: null,
    purposes: null,
    authority: null,
    usage: null,
    hasUnknownCritical: false,
  };
  const seen = new Set<string>();
  for (const extension of wrapped?.children()[0]?.children() ?? []) {
    const members = extension.members();
    const oid = oidOf(members.take(TAG.oid));
    if (seen.has(oid)) fail("an extension stands twice");
    seen.add(oid);
    const flag = members.optional(TAG.boolean);
    const critical = flag !== null && booleanOf(flag);
    const value = readExtension(oid, members.take(TAG.octetString).content);
    members.end();
    if (value === null) found.hasUnknownCritical ||= critical && !KNOWN.has(oid);
    else if (oid === EXTENSION.extendedKeyUsage)
      found.purposes = { critical, oids: value.children().map(oidOf) };
    else if (oid === EXTENSION.basicConstraints) found.authority = authorityOf(value);
    else if (oid === EXTENSION.subjectKeyId) found.subjectKeyId = value.expect(TAG.octetString).content;
    else found.usage = value.expect(TAG.bitString).content[1] ?? 0;
  }
  return found;
}

/** The value of an extension that decides something; null for the others. */
function readExtension(oid: string, content: Uint8Array): DerValue | null {
  switch (oid) {
    case EXTENSION.extendedKeyUsage:
    case EXTENSION.basicConstraints:
    case EXTENSION.subjectKeyId:
    case EXTENSION.keyUsage:
      return readDer(content);
    default:
      return null;
  }
}

function authorityOf(value: DerValue): Certificate["authority"] {
  const members = value.members();
  const flag = members.optional(TAG.boolean);
  const length = members.optional(TAG.integer);
  members.end();
  if (flag === null || !booleanOf(flag)) return null;
  return { pathLength: length === null ? Number.POSITIVE_INFINITY : smallInteger(integerBytes(length)) };
}

/** A name for people: `CN=…, O=…`. Attributes without a short name are left out; what is no text is shown as `?`. */
export function nameText(name: Uint8Array): string {
  const parts: string[] = [];
  for (const set of readDer(name).expect(TAG.sequence).children()) {
    for (const attribute of set.expect(TAG.set).children()) {
      const members = attribute.members();
      const label = NAME_ATTRIBUTES[oidOf(members.take(TAG.oid))];
      const text = new TextDecoder().decode(members.any().content).replaceAll(/\p{C}/gu, "?");
      if (label !== undefined) parts.push(`${label}=${text}`);
    }
  }
  return parts.reverse().join(", ");
}
