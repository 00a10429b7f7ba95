// Asks one authority over HTTP for a timestamp (RFC 3161 section 3.4), and believes it only once it verifies.
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { TimestampRoot } from "../core/timestamp/chain.ts";
import { type HashName, type TimestampCrypto, webTimestampCrypto } from "../core/timestamp/crypto.ts";
import { encodeTimestampRequest, nonceOf, TIMESTAMP_NONCE_BYTES } from "../core/timestamp/request.ts";
import { MAX_TIMESTAMP_BYTES } from "../core/timestamp/token.ts";
import { type VerifiedTimestamp, verifyTimestamp } from "../core/timestamp/verify.ts";
import { LogError } from "./errors.ts";

/** One verifier for the whole process. */
export const TIMESTAMP_CRYPTO: TimestampCrypto = webTimestampCrypto(globalThis.crypto.subtle);

/** An authority that we ask and trust. */
export interface TimestampAuthority {
  /** Short name, part of file names. */
  readonly name: string;
  readonly url: string;
  readonly roots: readonly TimestampRoot[];
  /** Certificates that the authority may leave out of its stamps, DER. */
  readonly certificates: readonly Uint8Array[];
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The authorities of the configuration with the certificates of their files. Throws `log.timestamp-roots`. */
export async function timestampAuthorities(
  configured: readonly { name: string; url: string; roots: string; certificates: string | null }[],
): Promise<TimestampAuthority[]> {
  return await Promise.all(
    configured.map(async ({ name, url, roots, certificates }) => ({
      name,
      url,
      roots: (await readPem(roots)).map((certificate) => ({ certificate })),
      certificates: certificates === null ? [] : await readPem(certificates),
    })),
  );
}

async function readPem(path: string): Promise<Uint8Array[]> {
  try {
    const blocks = (await readFile(path, "utf8")).match(PEM) ?? [];
    if (blocks.length === 0) throw new TypeError("no certificate in it");
    return blocks.map((block) => new Uint8Array(new X509Certificate(block).raw));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogError("log.timestamp-roots", `expected certificates in ${path}, got: ${reason}`, { cause });
  }
}

/** A response, as it came, with what it says. */
export interface ObtainedTimestamp {
  readonly der: Uint8Array;
  readonly verified: VerifiedTimestamp;
}

/** A fresh timestamp over `message`, verified. Throws `log.timestamp-failed`. */
export async function askTimestamp(
  authority: TimestampAuthority,
  message: Uint8Array,
  options: {
    timeoutMs: number;
    random: (bytes: number) => Uint8Array;
    /** By which the authority gets to know the message. */
    hash?: HashName;
    signal?: AbortSignal;
  },
): Promise<ObtainedTimestamp> {
  const { hash = "sha256" } = options;
  const nonce = nonceOf(options.random(TIMESTAMP_NONCE_BYTES));
  const digest = await TIMESTAMP_CRYPTO.digest(hash, message);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const der = await post(authority.url, encodeTimestampRequest(digest, nonce, hash), signal).catch(
    (cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const text = `expected a timestamp of ${authority.name}, got: ${reason}`;
      throw new LogError("log.timestamp-failed", text, { cause });
    },
  );
  const { roots, certificates } = authority;
  const verified = await verifyTimestamp(der, { message, nonce, roots, certificates }, TIMESTAMP_CRYPTO);
  if ("fault" in verified)
    throw new LogError(
      "log.timestamp-failed",
      `expected a timestamp of ${authority.name} that verifies, got ${verified.fault}`,
    );
  return { der, verified };
}

async function post(url: string, body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  const response = await fetch(url, {
    method: "POST",
    body: new Uint8Array(body),
    headers: { "content-type": "application/timestamp-query" },
    redirect: "error",
    signal,
  });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MAX_TIMESTAMP_BYTES) throw new Error(`more than ${MAX_TIMESTAMP_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
