// From the certificate of a timestamp's signer to a trusted root: who signed whom, who was allowed to, and when.
import { schemeOf, signatureBytes } from "./algorithms.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { HashName, TimestampCrypto } from "./crypto.ts";
import { DerFault, type DerValue, sameBytes } from "./der.ts";

/** Longest chain from the authority's certificate to its root. */
const MAX_CHAIN = 8;
/** Signatures of certificates that are checked for one timestamp: a tangle of names must not cost more. */
const MAX_CHECKS = 64;

/** A certificate that the verifier trusts, for signatures made in its window (both ends belong to it). */
export interface TimestampRoot {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly fromMs?: number;
  readonly untilMs?: number;
}

/** A root that could be read. */
export interface ReadRoot extends TimestampRoot {
  readonly parsed: Certificate;
}

/** Certificates that a caller hands over: one that can't be read is as good as none. */
export function readCertificate(der: Uint8Array): Certificate | null {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof DerFault) return null;
    throw error;
  }
}

/** Is the signature by the certificate's key? `unsupported`: it is of a kind that is not accepted here. */
export async function isSignedBy(
  certificate: Certificate,
  signed: {
    algorithm: DerValue;
    signature: Uint8Array;
    message: Uint8Array;
    /** Hash that a bare key algorithm goes with. */
    hash: HashName | null;
  },
  crypto: TimestampCrypto,
): Promise<"yes" | "no" | "unsupported"> {
  const scheme = schemeOf(signed.algorithm, certificate.publicKey, signed.hash);
  if (scheme === null) return "unsupported";
  const signature = signatureBytes(scheme, signed.signature);
  if (signature === null) return "no";
  const publicKey = certificate.publicKey.whole;
  return (await crypto.verify({ scheme, publicKey, message: signed.message, signature })) ? "yes" : "no";
}

export class ChainSearch {
  readonly #known: readonly Certificate[];
  readonly #roots: readonly ReadRoot[];
  readonly #timeMs: number;
  readonly #crypto: TimestampCrypto;
  #checks = 0;

  constructor(options: {
    known: readonly Certificate[];
    roots: readonly ReadRoot[];
    /** When the signature was made: every certificate must have been valid then. */
    timeMs: number;
    crypto: TimestampCrypto;
  }) {
    this.#known = options.known;
    this.#roots = options.roots;
    this.#timeMs = options.timeMs;
    this.#crypto = options.crypto;
  }

  /** The chain from `certificate` to a root, both included, or null. */
  async from(certificate: Certificate): Promise<Certificate[] | null> {
    return await this.#extend([certificate]);
  }

  async #extend(chain: readonly Certificate[]): Promise<Certificate[] | null> {
    const last = chain.at(-1);
    if (last === undefined || !this.#isValid(last)) return null;
    if (this.#isRoot(last)) return [...chain];
    if (chain.length === MAX_CHAIN) return null;
    for (const issuer of this.#known) {
      if (!sameBytes(issuer.subject, last.issuer) || chain.some(({ der }) => sameBytes(der, issuer.der)))
        continue;
      // Certificates between the issuer and the one at the start count against the issuer's limit (RFC 5280 4.2.1.9).
      if (issuer.authority === null || issuer.authority.pathLength < chain.length - 1) continue;
      this.#checks += 1;
      if (this.#checks > MAX_CHECKS) return null;
      const { algorithm, signature, signed: message } = last;
      const signed = { algorithm, signature, message, hash: null };
      if ((await isSignedBy(issuer, signed, this.#crypto)) !== "yes") continue;
      const whole = await this.#extend([...chain, issuer]);
      if (whole !== null) return whole;
    }
    return null;
  }

  #isValid({ notBeforeMs, notAfterMs, hasUnknownCritical }: Certificate): boolean {
    return !hasUnknownCritical && notBeforeMs <= this.#timeMs && this.#timeMs <= notAfterMs + 999;
  }

  #isRoot({ der }: Certificate): boolean {
    return this.#roots.some(
      ({ certificate, fromMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY }) =>
        sameBytes(certificate, der) && fromMs <= this.#timeMs && this.#timeMs <= untilMs,
    );
  }
}
