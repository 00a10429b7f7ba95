// Private keys that sign notes, as the log and the witness hold them: made here, or kept elsewhere behind the same port.
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";
import { encodeSignature, signedMessage } from "../core/cosignature.ts";
import type { NoteSignature } from "../core/note.ts";
import type { VerifierKey } from "../core/verifier-key.ts";
import { LogError } from "./errors.ts";

/** Asynchronous, so that the private key may live elsewhere. Ed25519 or ML-DSA-44. */
export interface SigningKey {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A private key under the name and signature type that it signs notes with. */
export interface NoteSigner {
  readonly key: VerifierKey;
  readonly signingKey: SigningKey;
}

/** Base64 of exactly `length` bytes. */
export function base64Field(length: number): z.ZodType<Buffer, string> {
  return z
    .base64()
    .transform((text) => Buffer.from(text, "base64"))
    .refine((bytes) => bytes.length === length);
}

/** A key pair as it is written to a file, base64: the private part is the 32-byte seed in both algorithms. */
export interface StoredKeyPair {
  readonly private: string;
  readonly public: string;
}

export interface KeyPair {
  readonly private: Buffer;
  readonly public: Buffer;
}

export const ED25519_PAIR: z.ZodType<KeyPair, StoredKeyPair> = z.strictObject({
  private: base64Field(32),
  public: base64Field(32),
});
export const ML_DSA_44_PAIR: z.ZodType<KeyPair, StoredKeyPair> = z.strictObject({
  private: base64Field(32),
  public: base64Field(1312),
});

function stored(secret: string | undefined, open: string | undefined): StoredKeyPair {
  const standard = (text = ""): string => Buffer.from(text, "base64url").toString("base64");
  return { private: standard(secret), public: standard(open) };
}

export function freshEd25519(): StoredKeyPair {
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return stored(d, x);
}

export function freshMlDsa44(): StoredKeyPair {
  const { privateKey } = generateKeyPairSync("ml-dsa-44");
  // The types of node:crypto don't know the members of AKP keys yet.
  const { priv, pub } = privateKey.export({ format: "jwk" }) as { priv?: string; pub?: string } & object;
  return stored(priv, pub);
}

const signAside: (algorithm: null, message: Uint8Array, key: KeyObject) => Promise<Buffer> = promisify(sign);

function signingKey(pair: KeyPair, key: KeyObject): SigningKey {
  // Off the main thread: a post-quantum signature takes as long as hashing a few thousand leaves.
  return { publicKey: pair.public, sign: (message) => signAside(null, message, key) };
}

/** Throws what node:crypto throws when the halves don't belong together. */
export function ed25519Key(pair: KeyPair): SigningKey {
  const [d, x] = [pair.private.toString("base64url"), pair.public.toString("base64url")];
  return signingKey(pair, createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", d, x }, format: "jwk" }));
}

/** Throws what node:crypto throws when the halves don't belong together. */
export function mlDsa44Key(pair: KeyPair): SigningKey {
  const [priv, pub] = [pair.private.toString("base64url"), pair.public.toString("base64url")];
  const key = { kty: "AKP", alg: "ML-DSA-44", priv, pub };
  return signingKey(pair, createPrivateKey({ key, format: "jwk" }));
}

/** One signature of each signer over the note text, in their order. `timeSeconds`: POSIX time put into cosignatures. */
export async function signText(
  text: string,
  signers: readonly NoteSigner[],
  timeSeconds: number,
): Promise<NoteSignature[]> {
  return await Promise.all(
    signers.map(async ({ key, signingKey: { sign: signMessage } }) => {
      const message = signedMessage(key, text, timeSeconds);
      if (message === null)
        throw new LogError("log.name", `expected a checkpoint that ${key.name} can sign, got ${text}`);
      const signature = encodeSignature(key.type, await signMessage(message), timeSeconds);
      return { name: key.name, id: key.id, signature };
    }),
  );
}
