// Stands in for core's SHA-256 in a browser, where the road that is fast in Node leads through strings and back.
import { sha256 as digest } from "@noble/hashes/sha2.js";
import { Buffer } from "./buffer.ts";

function digestOf(bytes: Uint8Array): Buffer {
  const { buffer, byteOffset, length } = digest(bytes);
  return Buffer.from(buffer, byteOffset, length);
}

/** SHA-256: 32 bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  return digestOf(bytes);
}

/** Writes SHA-256 of `bytes` at `target[at…]`. */
export function sha256Into(target: Uint8Array, at: number, bytes: Uint8Array): void {
  target.set(digest(bytes), at);
}

/** SHA-256 in URL-safe base64 without padding. */
export function sha256Base64url(bytes: Uint8Array): string {
  return digestOf(bytes).toString("base64url");
}
