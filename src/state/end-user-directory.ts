// Tells from memory whether a tenant's word about its own user is signed with a key of its organisation.
import {
  type EndUserVerifier,
  ed25519PublicKey,
  endUserClaimHolds,
  endUserPseudonym,
  parseEndUserClaim,
} from "../core/end-user.ts";
import { endUserSecret } from "./end-user-keys.ts";
import type { State } from "./state.ts";

/** Why a value is evidence only. Operators see it; clients are told nothing. */
export type UnsignedReason =
  | "unsigned"
  | "no-organization"
  | "unknown-key"
  | "revoked-key"
  | "expired-key"
  | "not-valid";

/** `signed`: the pseudonym stands for one user of the organisation and may carry limits of its own. */
export type EndUser =
  | { readonly signed: true; readonly pseudonym: string; readonly key: string }
  | { readonly signed: false; readonly reason: UnsignedReason };

interface Entry {
  readonly organization: string;
  readonly verifier: EndUserVerifier;
  readonly expiresMs: number;
  readonly revoked: boolean;
}

/** Keys held in memory, some 500 bytes each; those beyond it are not known, which leaves their users unsigned. */
const MAX_KEYS = 100_000;

export class EndUserDirectory {
  readonly #entries: Map<string, Entry> = new Map();
  readonly #master: Uint8Array | null;
  readonly #now: () => number;

  /** `master`: derives the secrets of HS256 keys; null: such keys can't be checked here. */
  constructor({ master, now }: { master: Uint8Array | null; now: () => number }) {
    this.#master = master;
    this.#now = now;
  }

  /** Synchronous and without input or output. `value` is attacker-controlled; `organization` is the authenticated principal's. */
  judge(value: string, organization: string | null): EndUser {
    const claim = parseEndUserClaim(value);
    if (claim === null) return unsigned("unsigned");
    if (organization === null) return unsigned("no-organization");
    const key = this.#entries.get(claim.key);
    // Another organisation's key is as good as none: a tenant can speak of its own users only.
    if (key === undefined || key.organization !== organization) return unsigned("unknown-key");
    if (key.revoked) return unsigned("revoked-key");
    const nowMs = this.#now();
    if (key.expiresMs <= nowMs) return unsigned("expired-key");
    if (!endUserClaimHolds(claim, key.verifier, { nowSeconds: nowMs / 1000 })) return unsigned("not-valid");
    return { signed: true, pseudonym: endUserPseudonym(organization, claim.id), key: claim.key };
  }

  /** Reads the keys that changed after a revision. */
  async read(state: State, afterRevision: number): Promise<void> {
    const rows = await state.database
      .selectFrom("end_user_keys")
      .selectAll()
      .where("revision", ">", afterRevision)
      .orderBy("revision")
      .orderBy("id")
      .limit(MAX_KEYS)
      .execute();
    for (const row of rows) {
      const verifier = this.#verifier(row.id, row.public_key);
      if (verifier === null || (this.#entries.size >= MAX_KEYS && !this.#entries.has(row.id))) continue;
      this.#entries.set(row.id, {
        organization: row.organization,
        verifier,
        expiresMs: row.expires_ms === null ? Number.POSITIVE_INFINITY : Number(row.expires_ms),
        revoked: row.revoked_ms !== null,
      });
    }
  }

  #verifier(id: string, pem: string | null): EndUserVerifier | null {
    if (pem === null)
      return this.#master === null ? null : { algorithm: "HS256", secret: endUserSecret(this.#master, id) };
    const publicKey = ed25519PublicKey(pem);
    return publicKey === null ? null : { algorithm: "EdDSA", publicKey };
  }
}

const UNSIGNED: Readonly<Record<UnsignedReason, EndUser>> = {
  unsigned: { signed: false, reason: "unsigned" },
  "no-organization": { signed: false, reason: "no-organization" },
  "unknown-key": { signed: false, reason: "unknown-key" },
  "revoked-key": { signed: false, reason: "revoked-key" },
  "expired-key": { signed: false, reason: "expired-key" },
  "not-valid": { signed: false, reason: "not-valid" },
};

function unsigned(reason: UnsignedReason): EndUser {
  return UNSIGNED[reason];
}
