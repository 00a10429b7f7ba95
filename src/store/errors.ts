// What can go wrong with the analytical store, as codes a program can act on.
import { AdytonError } from "../core/errors.ts";

/** Every code of this folder: what it means and what to do. */
export const STORE_ERROR_CODES = {
  "store.locked":
    "Another process holds the embedded store; stop it, or use the command through the running server.",
  "store.unavailable":
    "The analytical database could not be opened or reached; check the folder, its permissions and the URL.",
  "store.migration-changed":
    "A migration that is already applied differs from its file; run `adyton store rebuild` to derive everything again from the log.",
  "store.migration-failed":
    "A migration could not be applied; the message names the file, and the next start tries it again.",
  "store.query-failed":
    "The database refused a statement; the cause holds its answer. Report it if the statement is Adyton's own.",
  "store.query-timeout":
    "A statement ran into its time limit and was stopped; narrow the range or raise the limit.",
  "store.query-ended":
    "A statement was ended because its answer is no longer wanted: the server stops while a detector runs.",
  "store.batch-out-of-order":
    "A batch did not continue where the store stands; the caller must read the log from `position()`.",
  "store.closed": "The store was used after it was closed.",
} as const;

export type StoreErrorCode = keyof typeof STORE_ERROR_CODES;

export class StoreError extends AdytonError<StoreErrorCode> {}
