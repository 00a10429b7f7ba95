// Turns pieces of content into keyed 64-bit numbers, so that the analytical store can compare texts it never sees.
import { hash } from "node:crypto";

/** Secret of the installation for one purpose: without it, stored hashes can't be tested against guessed texts. */
export interface FeatureKeys {
  /** At least 16 random bytes. The same bytes must be used for the life of a store. */
  readonly secret: Uint8Array;
}

/** What a hash is of. Part of the hashed bytes, so that equal texts in different roles stay unlinkable. */
export type HashRole =
  | "system"
  | "skeleton"
  | "opening"
  | "closing"
  | "content"
  | "input"
  | "conversation"
  | "blank"
  | "bias"
  | "tools"
  | "parameters"
  | "client"
  | "ip"
  | "network"
  | "payment"
  | "domain"
  | "organization"
  | "key";

/** Texts of one role whose hash is remembered, and the longest of them: at most some tens of megabytes. */
const MAX_KNOWN = 8_192;
const MAX_KNOWN_CHARS = 8_192;

/** Absence. A real text hashes to it with probability 2^-64. */
export const NO_HASH = "0";

/**
 * Keyed hashing of texts to decimal strings of unsigned 64-bit numbers (how the store's JSON carries UInt64).
 *
 * SHA-256 over `secret ‖ role ‖ text`, cut to 64 bits: the cut makes length extension useless, and a collision among
 * 16 million texts has probability 7e-6.
 */
export class KeyedHash {
  private readonly prefix: string;
  private readonly prefixes = new Map<HashRole, string>();
  /** Hashes of texts that come again and again (addresses, programs, system prompts): an answer, never a state. */
  private readonly known = new Map<HashRole, Map<string, string>>();
  /** Seed of the word hashes of the embedding: from the same secret, so that projections differ by installation. */
  readonly wordSeed: number;

  constructor(keys: FeatureKeys) {
    if (keys.secret.length < 16) {
      throw new RangeError(`expected a feature secret of at least 16 bytes, got ${keys.secret.length}`);
    }
    this.prefix = Buffer.from(keys.secret).toString("base64url");
    this.wordSeed = Number.parseInt(hash("sha256", `${this.prefix}\u0000words`, "hex").slice(0, 8), 16);
  }

  of(role: HashRole, text: string): string {
    if (text === "") return NO_HASH;
    let prefix = this.prefixes.get(role);
    if (prefix === undefined) {
      prefix = `${this.prefix}\u0000${role}\u0000`;
      this.prefixes.set(role, prefix);
    }
    return BigInt(`0x${hash("sha256", prefix + text, "hex").slice(0, 16)}`).toString();
  }

  /** The same, for texts that repeat: of `derive()`, which is called only when `text` was not seen lately. */
  ofRepeated(role: HashRole, text: string, derive: (text: string) => string = (same) => same): string {
    if (text === "") return NO_HASH;
    if (text.length > MAX_KNOWN_CHARS) return this.of(role, derive(text));
    let known = this.known.get(role);
    if (known === undefined) {
      known = new Map();
      this.known.set(role, known);
    }
    const seen = known.get(text);
    if (seen !== undefined) return seen;
    if (known.size >= MAX_KNOWN) known.clear();
    const made = this.of(role, derive(text));
    known.set(text, made);
    return made;
  }
}
