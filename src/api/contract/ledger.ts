// The log: its head, its records, and one record with its proof.
import { z } from "zod";
import { all, count, maybeCount, maybeText, optionalText, paging, time } from "./common.ts";

export type RecordKind = "open" | "close" | "interrupted" | "act";
export const RECORD_KINDS: readonly RecordKind[] = ["open", "close", "interrupted", "act"];
const recordKind = z.enum(RECORD_KINDS);

export interface RecordsQuery {
  /** List records whose index is below this one, newest first; absent: from the end of the log. */
  before?: number | undefined;
  kind?: RecordKind | undefined;
  /** Public name of an act, or its beginning up to a dot: `content.revealed`, `key`. */
  act?: string | undefined;
  limit: number;
}
export const recordsQuery: z.ZodType<RecordsQuery> = z.object({
  before: z.coerce.number().int().nonnegative().optional(),
  kind: recordKind.optional(),
  act: optionalText,
  limit: paging.limit,
});

// What the API answers.

export interface LedgerRecord {
  index: number;
  kind: RecordKind;
  time: string;
  writer: string;
  sequence: number;
  exchange: string | null;
  act: string | null;
  /** Pseudonym of the account, as the public leaf has it. */
  account: string | null;
  /** Detail of an act as canonical JSON; null for other kinds, and where its key was destroyed. */
  detail: string | null;
}
const ledgerRecord: z.ZodType<LedgerRecord> = z.object({
  ...all(maybeText, "exchange", "act", "account", "detail"),
  ...all(count, "index", "sequence"),
  kind: recordKind,
  time,
  writer: z.string(),
});

/** A search stops after `scanned` records at most and goes on from `nextBefore`; null: the log's beginning. */
export type LedgerRecords = { items: LedgerRecord[]; nextBefore: number | null; scanned: number };
export const ledgerRecords: z.ZodType<LedgerRecords> = z.object({
  items: z.array(ledgerRecord),
  nextBefore: maybeCount,
  scanned: count,
});

/** One record with its public leaf, the leaf's hash (hexadecimal) and a C2SP tlog-proof. */
export type LedgerProof = {
  record: LedgerRecord;
  leaf: string;
  leafHash: string;
  proof: string;
  erased: boolean;
};
export const ledgerProof: z.ZodType<LedgerProof> = z.object({
  ...all(z.string(), "leaf", "leafHash", "proof"),
  record: ledgerRecord,
  erased: z.boolean(),
});

export interface Ledger {
  size: number;
  origin: string | null;
  root: string | null;
  /** The signed note as published. */
  checkpoint: string | null;
  /** Checked against the installation's own key when this answer was made. */
  signatureValid: boolean;
  writers: { name: string; sequence: number }[];
  openExchanges: number;
  /** Configured witnesses that cosigned the newest checkpoint; how many shall; the newest head that reached that. */
  witnesses: { cosigned: string[]; quorum: number; quorumSize: number };
  /** Newest stamp of each configured authority, verified when this answer was made. */
  timestamps: { authority: string; size: number; time: string }[];
  /** How far the analytical store has read the log. */
  storePosition: number;
}
export const ledger: z.ZodType<Ledger> = z.object({
  ...all(count, "size", "storePosition", "openExchanges"),
  ...all(maybeText, "origin", "root", "checkpoint"),
  signatureValid: z.boolean(),
  writers: z.array(z.object({ name: z.string(), sequence: count })),
  witnesses: z.object({ cosigned: z.array(z.string()), quorum: count, quorumSize: count }),
  timestamps: z.array(z.object({ authority: z.string(), size: count, time: z.string() })),
});
