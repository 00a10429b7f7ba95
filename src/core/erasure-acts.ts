// The acts by which content is destroyed or kept from it, and signing keys change: what each one's detail says.
import type { Tombstone } from "./tombstone.ts";

export interface ErasureActDetails {
  /** Content was destroyed for good. Recorded before it is done. */
  "content.erased": Tombstone;
  /** Nothing under a hold is erased. `account` and `exchange` say what is held: a pseudonym, and one exchange or all. */
  "hold.placed": HoldFacts & { readonly reason: string };
  "hold.extended": { readonly hold: string; readonly authority: string; readonly expiresMs: number };
  /** Keys that shall sign checkpoints next, and those that take over from others: vkeys, Ed25519 first. */
  "signing-keys.prepared": { readonly next: readonly string[] };
  "signing-keys.rotated": { readonly former: readonly string[]; readonly current: readonly string[] };
  "hold.released": { readonly hold: string; readonly authority: string; readonly reason: string };
}

/** A legal hold as the log tells it. */
export interface HoldFacts {
  readonly hold: string;
  readonly account: string;
  readonly exchange: string | null;
  /** Who ordered it, and their reference. */
  readonly authority: string;
  readonly reference: string;
  readonly expiresMs: number;
}
