// Where the installation's secrets live: a file by default, behind a port that a KMS or PKCS#11 token can fill.
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { constants } from "node:fs";
import { chmod, link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { LogError } from "./errors.ts";

/** What the log needs to know, in clear, while it runs. */
export interface InstallationKeys {
  /** Public id of the installation: 16 hexadecimal characters. */
  readonly node: string;
  /** Wraps account keys: 32 bytes. */
  readonly kek: Buffer;
  /** Keys the pseudonyms of accounts: 32 bytes. */
  readonly pseudonymKey: Buffer;
  /** Signs checkpoints. */
  readonly signer: CheckpointSigner;
}

/** Ed25519. Asynchronous, so that the private key may live elsewhere. */
export interface CheckpointSigner {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export interface KeyStore {
  /** Loads the keys; `create` makes them when there are none yet. Null: there are none and `create` is false. */
  load(options: { create: boolean }): Promise<InstallationKeys | null>;
}

const bytes32 = z
  .base64()
  .transform((text) => Buffer.from(text, "base64"))
  .refine((bytes) => bytes.length === 32);

const FILE_SCHEMA = z.strictObject({
  v: z.literal(1),
  node: z.string().regex(/^[0-9a-f]{16}$/),
  created: z.iso.datetime(),
  kek: bytes32,
  pseudonymKey: bytes32,
  ed25519: z.strictObject({ private: bytes32, public: bytes32 }),
});

/** Refuses a secret file that others may read. */
export async function checkMode(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    const got = (mode & 0o777).toString(8).padStart(4, "0");
    throw new LogError("log.key-mode", `expected ${path} to have mode 0600, got ${got}: run chmod 600 on it`);
  }
}

function freshFile(): string {
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const standard = (text: string | undefined): string =>
    Buffer.from(text ?? "", "base64url").toString("base64");
  const file = {
    v: 1,
    node: randomBytes(8).toString("hex"),
    created: new Date().toISOString(),
    kek: randomBytes(32).toString("base64"),
    pseudonymKey: randomBytes(32).toString("base64"),
    ed25519: { private: standard(d), public: standard(x) },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Several processes may start at once: each writes its own file, one of them gets the name. */
async function createFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    await file.writeFile(freshFile());
    await file.sync();
    await chmod(temporary, 0o600);
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
  const folder = await open(dirname(path), "r");
  await folder.sync();
  await folder.close();
}

function parse(path: string, text: string): InstallationKeys {
  try {
    const file = FILE_SCHEMA.parse(JSON.parse(text));
    const privateKey: KeyObject = createPrivateKey({
      key: {
        kty: "OKP",
        crv: "Ed25519",
        d: file.ed25519.private.toString("base64url"),
        x: file.ed25519.public.toString("base64url"),
      },
      format: "jwk",
    });
    const signer: CheckpointSigner = {
      publicKey: file.ed25519.public,
      sign: async (message) => sign(null, message, privateKey),
    };
    return { node: file.node, kek: file.kek, pseudonymKey: file.pseudonymKey, signer };
  } catch {
    // The cause is dropped on purpose: a parser's message may quote the secret it stumbled over.
    throw new LogError("log.key-malformed", `expected ${path} to be an installation key file of version 1`);
  }
}

/** Secrets in a file with mode 0600. */
export class FileKeyStore implements KeyStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(options: { create: boolean }): Promise<InstallationKeys | null> {
    const exists = await stat(this.#path).then(
      () => true,
      () => false,
    );
    if (!exists && !options.create) return null;
    if (!exists) await createFile(this.#path);
    await checkMode(this.#path);
    return parse(this.#path, await readFile(this.#path, "utf8"));
  }
}
