// What the deriving threads and the one that feeds them say to each other.
import type { Derived } from "./derive.ts";

/** What a thread needs to open the log for itself. */
export interface DeriveWorkerData {
  /** The data folder. */
  readonly folder: string;
  /** Origin of the log as configured; null: the installation's default. */
  readonly origin: string | null;
  /** Folder of the embedding model; null: none. */
  readonly embeddingModel: string | null;
}

/** Derive the leaves `from` to `to`. One at a time. */
export interface DeriveRequest {
  readonly from: number;
  readonly to: number;
}

/** An exchange whose features could not be derived. */
export interface DeriveFailure {
  readonly index: number;
  readonly reason: string;
}

export type DeriveReply =
  | { readonly derived: Derived; readonly failures: readonly DeriveFailure[] }
  /** `code`: of the AdytonError, or null. */
  | { readonly error: { readonly code: string | null; readonly message: string } };
