// Why a bundle could not be made. Every code is listed in docs/errors.md.
import { AdytonError } from "../core/errors.ts";

export const EVIDENCE_ERROR_CODES: {
  readonly "evidence.nothing-to-export": string;
  readonly "evidence.too-large": string;
  readonly "evidence.not-sealed": string;
  readonly "evidence.not-witnessed": string;
  readonly "evidence.approval-needed": string;
  readonly "evidence.output": string;
  readonly "evidence.recipient": string;
} = {
  "evidence.nothing-to-export":
    "The case names no account and no exchange, so there are no records to export. Add findings, accounts or exchanges with `adyton case add`.",
  "evidence.too-large":
    "The case's exchanges do not fit into one bundle. Export a shorter period with --since and --until, or split the case.",
  "evidence.not-sealed":
    "The case's own entries were not sealed in the log in time. Check that the ledger works: `adyton doctor`.",
  "evidence.not-witnessed":
    "The log's witnesses did not cosign in time, so the bundle would not satisfy the configured policy. Check that they answer: `adyton log show`.",
  "evidence.approval-needed":
    "A second person must agree first. The message names the request; they decide with `adyton case approve`.",
  "evidence.output":
    "The bundle's file exists already or can't be written. Nothing is ever overwritten: choose another name with --out.",
  "evidence.recipient":
    "A recipient is no public key of the age format (age1…), so nothing was encrypted and nothing was written.",
};

export type EvidenceErrorCode = keyof typeof EVIDENCE_ERROR_CODES;

/** Thrown by everything in `src/evidence/` but the verifier, which never throws on what a bundle holds. */
export class EvidenceError extends AdytonError<EvidenceErrorCode> {}
