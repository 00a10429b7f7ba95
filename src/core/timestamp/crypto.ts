// The cryptography that verifying a timestamp needs, as a port: one verifier runs in Node and, offline, in a browser.

/** Hashes that a timestamp may use. SHA-1 only to name the authority's certificate in old tokens (RFC 2634). */
export type HashName = "sha1" | "sha256" | "sha384" | "sha512";

export type CurveName = "P-256" | "P-384" | "P-521";

/** How a signature was made. ECDSA signatures are handed over as r and s side by side (IEEE P1363). */
export type SignatureScheme =
  | { readonly kind: "rsa-pkcs1"; readonly hash: HashName }
  | { readonly kind: "rsa-pss"; readonly hash: HashName; readonly saltBytes: number }
  | { readonly kind: "ecdsa"; readonly hash: HashName; readonly curve: CurveName };

export interface SignedBytes {
  readonly scheme: SignatureScheme;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Asynchronous, because that is how browsers do it. Neither may throw on bad input. */
export interface TimestampCrypto {
  digest(hash: HashName, bytes: Uint8Array): Promise<Uint8Array>;
  verify(signed: SignedBytes): Promise<boolean>;
}

const WEB_HASH: Readonly<Record<HashName, string>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/** What this needs of the Web Crypto API, which Node and every current browser have. */
export type SubtlePort = Pick<typeof globalThis.crypto.subtle, "digest" | "importKey" | "verify">;

type Bytes = Uint8Array<ArrayBuffer>;

/** A copy in memory of its own: the Web Crypto API takes no view of shared memory. */
const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);

/** The port over Web Crypto: `webTimestampCrypto(globalThis.crypto.subtle)`. */
export function webTimestampCrypto(subtle: SubtlePort): TimestampCrypto {
  return {
    digest: async (hash, bytes) => new Uint8Array(await subtle.digest(WEB_HASH[hash], own(bytes))),
    verify: async ({ scheme, publicKey, message, signature }) => {
      const hash = WEB_HASH[scheme.hash];
      const key =
        scheme.kind === "ecdsa"
          ? { name: "ECDSA", namedCurve: scheme.curve }
          : { name: scheme.kind === "rsa-pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5", hash };
      const how =
        scheme.kind === "ecdsa"
          ? { name: "ECDSA", hash }
          : scheme.kind === "rsa-pss"
            ? { name: "RSA-PSS", saltLength: scheme.saltBytes }
            : { name: "RSASSA-PKCS1-v1_5" };
      try {
        const imported = await subtle.importKey("spki", own(publicKey), key, false, ["verify"]);
        return await subtle.verify(how, imported, own(signature), own(message));
      } catch {
        return false; // a key that is none signs nothing
      }
    },
  };
}
