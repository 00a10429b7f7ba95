// The written form of virtual keys and tokens: recognisable by secret scanners, typo-proof, and never stored.
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Random bytes in a key. */
export const KEY_SECRET_BYTES = 32;

/** `ady_`: what clients of the model API send. `adt_`: what machines send to Adyton's own API. */
type Prefix = "ady_" | "adt_";
const BODY = /^[A-Za-z0-9_-]{49}$/;
const RANDOM_CHARACTERS = 43;

/**
 * `ady_`, 43 base64url characters of randomness, 6 of CRC-32 over prefix and randomness. The checksum is no secret: it
 * lets a scanner tell a real key from a look-alike, and the gateway tell a typo from a guess.
 */
export function writeKeySecret(random: Uint8Array): string {
  return write("ady_", random);
}

/** Whether the text has the form of a key with a right checksum. Says nothing about whether the key exists. */
export function isKeySecret(text: string): boolean {
  return hasForm("ady_", text);
}

/** The same for a machine's token: `adt_` and the rest alike. */
export function writeTokenSecret(random: Uint8Array): string {
  return write("adt_", random);
}

export function isTokenSecret(text: string): boolean {
  return hasForm("adt_", text);
}

/**
 * What is stored and looked up instead of a secret: SHA-256, base64url. A plain hash is enough, since keys and tokens
 * hold 256 random bits; looking up by it leaks no timing about the secret.
 */
export function secretHash(secret: string): string {
  return hash("sha256", secret, "base64url");
}

function write(prefix: Prefix, random: Uint8Array): string {
  if (random.length !== KEY_SECRET_BYTES)
    throw new RangeError(`expected ${KEY_SECRET_BYTES} random bytes, got ${random.length}`);
  const body = prefix + Buffer.from(random).toString("base64url");
  return body + checksum(body);
}

function hasForm(prefix: Prefix, text: string): boolean {
  if (!text.startsWith(prefix) || !BODY.test(text.slice(prefix.length))) return false;
  const end = prefix.length + RANDOM_CHARACTERS;
  return checksum(text.slice(0, end)) === text.slice(end);
}

function checksum(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString("base64url");
}
