// A PKCS#11 token through OpenSC's pkcs11-tool: keys that sign and unwrap never leave the token.
import type { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { createPublicKey, type KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LogError } from "./errors.ts";

const TOOL = "pkcs11-tool";
/** A signature takes some 50 ms; a token over a network may take longer. */
const TIMEOUT_MS = 30_000;
const PIN_VARIABLE = "ADYTON_TOKEN_PIN";
/** What the tool says of a key that is not there. */
const NOT_FOUND = "object not found";
const run = promisify(execFile);

/** Which token, and how it is unlocked. */
export interface TokenPlace {
  /** The token's PKCS#11 library. */
  readonly module: string;
  readonly label: string;
  /** File that holds the PIN; null: the environment variable ADYTON_TOKEN_PIN. */
  readonly pinFile: string | null;
}

/** All methods throw `log.token-failed` with what the token answered. */
export class Pkcs11Token {
  readonly #place: TokenPlace;

  constructor(place: TokenPlace) {
    this.#place = place;
  }

  /** Ed25519 over the message. */
  async sign(keyId: string, message: Uint8Array): Promise<Buffer> {
    return await this.#transform(message, ["--sign", "--mechanism", "EDDSA", "--id", keyId]);
  }

  /** RSA-OAEP with SHA-1, which is what tokens agree on; its security does not rest on collisions. */
  async decrypt(keyId: string, ciphertext: Uint8Array): Promise<Buffer> {
    const how = ["--mechanism", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA-1"];
    return await this.#transform(ciphertext, ["--decrypt", ...how, "--id", keyId]);
  }

  /** Makes a key pair that can't be read out. */
  async generate(keyId: string, type: "EC:edwards25519" | "rsa:3072", label: string): Promise<void> {
    await this.#call(["--login", "--keypairgen", "--key-type", type, "--id", keyId, "--label", label]);
  }

  /** Null where the token has no such key. */
  async publicKey(keyId: string): Promise<KeyObject | null> {
    const bytes = await this.#withFolder(async (folder) => {
      const out = join(folder, "key");
      const read = ["--read-object", "--type", "pubkey", "--id", keyId, "--output-file", out];
      return await this.#call(read).then(
        () => readFile(out),
        (error: unknown) => {
          if (error instanceof LogError && error.message.includes(NOT_FOUND)) return null;
          throw error;
        },
      );
    });
    if (bytes === null) return null;
    const isPem = bytes.subarray(0, 5).toString("latin1") === "-----";
    return createPublicKey(isPem ? bytes : { key: bytes, format: "der", type: "spki" });
  }

  async #transform(input: Uint8Array, what: readonly string[]): Promise<Buffer> {
    return await this.#withFolder(async (folder) => {
      const [from, to] = [join(folder, "in"), join(folder, "out")];
      await writeFile(from, input, { mode: 0o600 });
      await this.#call(["--login", ...what, "--input-file", from, "--output-file", to]);
      return await readFile(to);
    });
  }

  async #withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "adyton-token-"));
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The PIN goes through the environment: arguments are seen by everybody on the machine. */
  async #call(args: readonly string[]): Promise<string> {
    const { module, label, pinFile } = this.#place;
    const pin =
      pinFile === null ? (process.env[PIN_VARIABLE] ?? "") : (await readPin(pinFile)).replace(/\r?\n$/, "");
    const all = ["--module", module, "--token-label", label, ...args];
    if (args.includes("--login")) all.push("--pin", `env:${PIN_VARIABLE}`);
    try {
      const env = { ...process.env, [PIN_VARIABLE]: pin };
      return (await run(TOOL, all, { env, timeout: TIMEOUT_MS })).stdout;
    } catch (cause) {
      throw new LogError(
        "log.token-failed",
        `expected token ${label} of ${module} to work, got: ${answerOf(cause)}`,
      );
    }
  }
}

async function readPin(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new LogError("log.token-failed", `expected the token's PIN in ${path}, got no such file`, {
      cause,
    });
  }
}

/** What the tool said, in one line. It never holds the PIN. */
function answerOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ("code" in cause && cause.code === "ENOENT") return `no ${TOOL}: install OpenSC`;
  const stderr = "stderr" in cause ? String(cause.stderr) : cause.message;
  const lines = stderr.split("\n").filter((line) => /error|not found|CKR_|invalid/i.test(line));
  return (lines.join("; ") || stderr).slice(0, 300).trim();
}
