// Signers of notes with keys made for one test run.
import { generateKeyPairSync, sign } from "node:crypto";
import { concatBytes } from "../../src/core/bytes.ts";
import { signedMessage } from "../../src/core/cosignature.ts";
import type { NoteSignature } from "../../src/core/note.ts";
import {
  ED25519_NOTE,
  formatVerifierKey,
  ML_DSA_44_COSIGNATURE,
  type SignatureType,
  type VerifierKey,
  verifierKey,
} from "../../src/core/verifier-key.ts";

export interface TestSigner {
  readonly key: VerifierKey;
  readonly vkey: string;
  sign(text: string, timeSeconds?: number): NoteSignature;
}

function publicBytes(type: SignatureType, jwk: object): Buffer {
  const { x, pub } = jwk as { x?: string; pub?: string };
  return Buffer.from((type === ML_DSA_44_COSIGNATURE ? pub : x) ?? "", "base64url");
}

export function testSigner(name: string, type: SignatureType): TestSigner {
  const pair =
    type === ML_DSA_44_COSIGNATURE ? generateKeyPairSync("ml-dsa-44") : generateKeyPairSync("ed25519");
  const key = verifierKey(name, type, publicBytes(type, pair.publicKey.export({ format: "jwk" })));
  return {
    key,
    vkey: formatVerifierKey(key),
    sign(text, timeSeconds = 1_700_000_000) {
      const bare = sign(null, signedMessage(key, text, timeSeconds) ?? new Uint8Array(), pair.privateKey);
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(timeSeconds));
      return { name, id: key.id, signature: type === ED25519_NOTE ? bare : concatBytes(time, bare) };
    },
  };
}
