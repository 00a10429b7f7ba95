// Turns pieces of content into keyed 64-bit numbers, so that the analytical store can compare texts it never sees.
import { hash } from "node:crypto";
import { SipHash } from "./siphash.ts";

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
  | "home"
  | "blank"
  | "ending"
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
/** From here on SHA-256 with the processor's own instructions is faster than SipHash in JavaScript, its call included. */
const LONG_CHARS = 512;

/** Absence. A real text hashes to it with probability 2^-64. */
export const NO_HASH = 0n;

interface RoleHash {
  readonly sip: SipHash;
  readonly prefix: string;
  /** Hashes of texts that come again and again (addresses, programs, system prompts): an answer, never a state. */
  readonly known: Map<string, bigint>;
}

/**
 * Keyed hashing of texts to unsigned 64-bit numbers.
 *
 * Short texts: SipHash-2-4 over their UTF-8, under the first 128 bits of SHA-256(`secret ‖ role`). Long ones: SHA-256
 * over `secret ‖ role ‖ text`, cut to 64 bits, which makes length extension useless. Which of the two depends on the
 * length alone, so that equal texts have equal hashes. Without the secret neither can be tested against guessed texts;
 * a collision among 16 million texts has probability 7e-6.
 */
export class KeyedHash {
  readonly #secret: string;
  readonly #roles = new Map<HashRole, RoleHash>();
  readonly #encoder = new TextEncoder();
  readonly #bytes: Uint8Array = new Uint8Array(3 * LONG_CHARS);
  /** Seed of the word hashes of embedding and sketches: from the same secret, so that projections differ by installation. */
  readonly wordSeed: number;

  constructor(keys: FeatureKeys) {
    if (keys.secret.length < 16) {
      throw new RangeError(`expected a feature secret of at least 16 bytes, got ${keys.secret.length}`);
    }
    this.#secret = Buffer.from(keys.secret).toString("base64url");
    this.wordSeed = Number.parseInt(hash("sha256", `${this.#secret}\u0000words`, "hex").slice(0, 8), 16);
  }

  of(role: HashRole, text: string): bigint {
    return text === "" ? NO_HASH : this.#hash(this.#role(role), text);
  }

  /** Of the bytes `from` to `to`, at most some thousands. */
  ofBytes(role: HashRole, bytes: Uint8Array, from: number, to: number): bigint {
    return from >= to ? NO_HASH : this.#role(role).sip.of(bytes, from, to);
  }

  /** As `of`, for texts that repeat: of `derive()`, which is called only when `text` was not seen lately. */
  ofRepeated(
    role: HashRole,
    text: string,
    derive: (text: string) => bigint = (same) => this.of(role, same),
  ): bigint {
    if (text === "") return NO_HASH;
    if (text.length > MAX_KNOWN_CHARS) return derive(text);
    const { known } = this.#role(role);
    const seen = known.get(text);
    if (seen !== undefined) return seen;
    if (known.size >= MAX_KNOWN) known.clear();
    const made = derive(text);
    known.set(text, made);
    return made;
  }

  #hash({ sip, prefix }: RoleHash, text: string): bigint {
    if (text.length > LONG_CHARS) return BigInt(`0x${hash("sha256", prefix + text, "hex").slice(0, 16)}`);
    const { written } = this.#encoder.encodeInto(text, this.#bytes);
    return sip.of(this.#bytes, 0, written);
  }

  #role(role: HashRole): RoleHash {
    const known = this.#roles.get(role);
    if (known !== undefined) return known;
    const prefix = `${this.#secret}\u0000${role}\u0000`;
    const made = {
      sip: new SipHash(hash("sha256", `${prefix}sip`, "buffer").subarray(0, 16)),
      prefix,
      known: new Map<string, bigint>(),
    };
    this.#roles.set(role, made);
    return made;
  }
}
