// The installation's secrets behind a PKCS#11 token: the Ed25519 key signs inside of it, the rest is locked by it.
import { Buffer } from "node:buffer";
import {
  constants,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { z } from "zod";
import type { DataFolder } from "../config/data-folder.ts";
import { LogError } from "./errors.ts";
import {
  createSecretFile,
  FileKeyStore,
  type InstallationKeys,
  type KeyStore,
  type SigningPublicKeys,
  writeSecret,
} from "./key-store.ts";
import { Pkcs11Token, type TokenPlace } from "./pkcs11.ts";
import { base64Field, freshMlDsa44, mlDsa44Key } from "./signing.ts";

/** Ids of the token's key that unlocks, and of the first that signs; later ones count on. */
const WRAP_KEY_ID = "a0";
const FIRST_SIGN_KEY_ID = 0xa1;
const MAX_FORMER_KEYS = 64;
const SECRET_BYTES = 32;

const KEYS = z.strictObject({
  /** Id of the token's key, hexadecimal. */
  id: z.string().regex(/^[0-9a-f]{2}$/),
  ed25519: base64Field(32),
  mldsa44: base64Field(1312),
  /** Seed of the ML-DSA-44 key, which tokens don't know yet: AES-256-GCM under `kek`: nonce, ciphertext, tag. */
  sealedSeed: base64Field(60),
});

const FILE = z.strictObject({
  v: z.literal(1),
  node: z.string().regex(/^[0-9a-f]{16}$/),
  created: z.iso.datetime(),
  module: z.string().min(1),
  label: z.string().min(1),
  pinFile: z.string().nullable(),
  /** RSA-OAEP to the token's wrapping key: `kek` (32 bytes) and `pseudonymKey` (32). */
  locked: z.base64(),
  keys: KEYS,
  next: KEYS.optional(),
  former: z
    .array(z.strictObject({ ed25519: base64Field(32), mldsa44: base64Field(1312) }))
    .max(MAX_FORMER_KEYS),
});

type TokenFile = z.input<typeof FILE>;
type StoredKeys = z.input<typeof KEYS>;

/** The token's where there is one, else the file's. */
export async function keyStoreOf(folder: DataFolder): Promise<KeyStore> {
  return existsSync(folder.installationToken)
    ? new TokenKeyStore(folder.installationToken)
    : new FileKeyStore(folder.installationKey);
}

export class TokenKeyStore implements KeyStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Chooses a token for a new installation, and makes the keys in it that are missing. Throws `log.token-exists` when
   * the installation has keys, `log.token-failed`.
   */
  static async create(folder: DataFolder, place: TokenPlace): Promise<void> {
    if (existsSync(folder.installationToken) || existsSync(folder.installationKey))
      throw new LogError("log.token-exists", `expected no keys in ${folder.keys} yet, got some`);
    const token = new Pkcs11Token(place);
    const wrapping = await publicKeyOf(token, WRAP_KEY_ID, "rsa:3072");
    const secrets = randomBytes(2 * SECRET_BYTES);
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };
    const locked = publicEncrypt({ key: wrapping, ...padding }, secrets).toString("base64");
    const keys = await makeKeys(token, FIRST_SIGN_KEY_ID, secrets.subarray(0, SECRET_BYTES));
    const node = randomBytes(8).toString("hex");
    const file: TokenFile = {
      v: 1,
      node,
      created: new Date().toISOString(),
      ...place,
      locked,
      keys,
      former: [],
    };
    await createSecretFile(folder.installationToken, `${JSON.stringify(file, null, 2)}\n`);
  }

  async load(): Promise<InstallationKeys | null> {
    const file = await this.#read();
    const token = new Pkcs11Token(file);
    const secrets = await token.decrypt(WRAP_KEY_ID, Buffer.from(file.locked, "base64"));
    if (secrets.length !== 2 * SECRET_BYTES)
      throw new LogError("log.key-wrong", `expected the token that ${this.#path} was locked by, got another`);
    const kek = secrets.subarray(0, SECRET_BYTES);
    const { id, ed25519, mldsa44, sealedSeed } = file.keys;
    const inToken = await token.publicKey(id);
    if (inToken === null || !rawPublicKey(inToken).equals(ed25519))
      throw new LogError("log.key-wrong", `expected the token's key ${id} to be the one in ${this.#path}`);
    return {
      node: file.node,
      kek,
      pseudonymKey: secrets.subarray(SECRET_BYTES),
      signer: { publicKey: ed25519, sign: (message) => token.sign(id, message) },
      postQuantumSigner: mlDsa44Key({ private: open(sealedSeed, kek), public: mldsa44 }),
      former: file.former,
    };
  }

  async prepareNext(): Promise<SigningPublicKeys> {
    const file = await this.#read();
    if (file.next !== undefined) return file.next;
    const keys = await this.load();
    if (keys === null) throw new LogError("log.key-lost", `expected ${this.#path}, got nothing`);
    const id = Number.parseInt(file.keys.id, 16) + 1;
    const next = await makeKeys(new Pkcs11Token(file), id, keys.kek);
    await this.#write((stored) => ({ ...stored, next }));
    return KEYS.parse(next);
  }

  async activateNext(): Promise<void> {
    await this.#write(({ next, ...file }) => {
      if (next === undefined) return file;
      const { ed25519, mldsa44 } = file.keys;
      return {
        ...file,
        keys: next,
        former: [{ ed25519, mldsa44 }, ...file.former].slice(0, MAX_FORMER_KEYS),
      };
    });
  }

  async #read(): Promise<z.output<typeof FILE>> {
    try {
      return FILE.parse(JSON.parse(await readFile(this.#path, "utf8")));
    } catch {
      // The cause is dropped on purpose: a parser's message may quote what it stumbled over.
      throw new LogError("log.key-malformed", `expected ${this.#path} to name a token, in version 1`);
    }
  }

  async #write(change: (file: TokenFile) => TokenFile): Promise<void> {
    await this.#read();
    const file = change(JSON.parse(await readFile(this.#path, "utf8")) as TokenFile);
    const temporary = `${this.#path}.${randomBytes(6).toString("hex")}`;
    await writeSecret(temporary, `${JSON.stringify(file, null, 2)}\n`);
    await rename(temporary, this.#path);
  }
}

async function makeKeys(token: Pkcs11Token, id: number, kek: Buffer): Promise<StoredKeys> {
  const keyId = id.toString(16).padStart(2, "0");
  const ed25519 = rawPublicKey(await publicKeyOf(token, keyId, "EC:edwards25519")).toString("base64");
  const { private: seed, public: mldsa44 } = freshMlDsa44();
  const sealedSeed = seal(Buffer.from(seed, "base64"), kek).toString("base64");
  return { id: keyId, ed25519, mldsa44, sealedSeed };
}

/** A key of the token, made where it is missing: an administrator may have made it beforehand. */
async function publicKeyOf(
  token: Pkcs11Token,
  keyId: string,
  type: "EC:edwards25519" | "rsa:3072",
): Promise<KeyObject> {
  const known = await token.publicKey(keyId);
  if (known !== null) return known;
  await token.generate(keyId, type, `adyton ${keyId}`);
  const made = await token.publicKey(keyId);
  if (made === null)
    throw new LogError("log.token-failed", `expected the token to keep key ${keyId}, got none`);
  return made;
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}

function seal(secret: Buffer, kek: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", kek, nonce);
  cipher.setAAD(Buffer.from("adyton token seed v1"));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

function open(sealed: Buffer, kek: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", kek, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from("adyton token seed v1"));
  decipher.setAuthTag(sealed.subarray(44));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, 44)), decipher.final()]);
  } catch (cause) {
    throw new LogError("log.key-wrong", "expected a seed that this token locked, got another", { cause });
  }
}
