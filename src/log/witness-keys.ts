// A witness's own two keys, in a file of their own: they speak for what it saw of other logs, never for this one.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE, verifierKey } from "../core/verifier-key.ts";
import { LogError } from "./errors.ts";
import { checkMode, createSecretFile } from "./key-store.ts";
import {
  ED25519_PAIR,
  ed25519Key,
  freshEd25519,
  freshMlDsa44,
  ML_DSA_44_PAIR,
  mlDsa44Key,
  type NoteSigner,
} from "./signing.ts";

const FILE_SCHEMA = z.strictObject({
  v: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  created: z.iso.datetime(),
  ed25519: ED25519_PAIR,
  mldsa44: ML_DSA_44_PAIR,
});

function freshFile(): string {
  const file = {
    v: 1,
    id: randomBytes(8).toString("hex"),
    created: new Date().toISOString(),
    ed25519: freshEd25519(),
    mldsa44: freshMlDsa44(),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * The witness's signers, Ed25519 and ML-DSA-44; made on first use in `<folder>/witness.key`. `name` null:
 * `witness.local/<id>`. Throws LogError: `log.key-mode`, `log.witness-key-malformed`.
 */
export async function openWitnessKeys(folder: string, name: string | null): Promise<NoteSigner[]> {
  const path = join(folder, "witness.key");
  await createSecretFile(path, freshFile());
  await checkMode(path);
  try {
    const file = FILE_SCHEMA.parse(JSON.parse(await readFile(path, "utf8")));
    const [ed25519, mlDsa44] = [ed25519Key(file.ed25519), mlDsa44Key(file.mldsa44)];
    const witness = name ?? `witness.local/${file.id}`;
    return [
      { key: verifierKey(witness, ED25519_COSIGNATURE, ed25519.publicKey), signingKey: ed25519 },
      { key: verifierKey(witness, ML_DSA_44_COSIGNATURE, mlDsa44.publicKey), signingKey: mlDsa44 },
    ];
  } catch {
    // The cause is dropped on purpose: a parser's message may quote the secret it stumbled over.
    throw new LogError("log.witness-key-malformed", `expected ${path} to be a witness key file of version 1`);
  }
}
