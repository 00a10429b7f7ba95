// Everything that can go wrong with the log, one stable code each.
import { AdytonError } from "../core/errors.ts";

/** What each code means and what to do about it; docs/errors.md is made from this. */
export const LOG_ERROR_CODES = {
  "log.key-mode":
    "A file in keys/ can be read by others than its owner. Run chmod 600 on it and check who could read it.",
  "log.key-lost":
    "keys/installation.key is missing although the log holds data sealed with it. Restore it from the backup.",
  "log.key-wrong":
    "keys/installation.key does not belong to this data folder. Restore the right one from the backup.",
  "log.key-malformed": "keys/installation.key is not what Adyton wrote. Restore it from the backup.",
  "log.token-failed":
    "The PKCS#11 token can't be used: module, label or PIN are wrong, or it lacks a key. The message says what it answered.",
  "log.token-exists":
    "The installation has its keys already. A token can only be chosen before the first start.",
  "log.key-store-failed":
    "An account key could not be saved or read in keys/accounts.sqlite. Check the disk.",
  "log.locked": "Another process already writes here. Stop it, or use another writer name.",
  "log.disk-full":
    "The disk is full, so records can't be made durable. Free space; the writer resumes by itself.",
  "log.write-failed":
    "The disk refused a write or a sync. Check it; the writer resumes in a new segment when it works again.",
  "log.unhealthy": "The writer has failed and has not recovered yet, so it accepts no records.",
  "log.queue-full": "Records come faster than the disk takes them and the queue's limit is reached.",
  "log.record-too-large": "A record is larger than the log's limit for one record.",
  "log.closed": "The writer is closed.",
  "log.name": "A writer, exchange or act name is empty, too long or has characters that are not allowed.",
  "log.time": "A record's time is not a number of milliseconds between the years 1970 and 9999.",
  "log.state-malformed":
    "ledger/state.json is not what Adyton wrote. It is rebuilt from the leaves; check the disk.",
  "log.inconsistent":
    "The files of the log contradict each other or its signed checkpoint. Run adyton log fsck.",
  "log.checkpoint-invalid": "log/checkpoint does not verify with this installation's key.",
  "log.damaged":
    "A sealed file is damaged. Run adyton log fsck to find the first bad byte, and restore it from a backup.",
  "log.not-found": "There is no such record in the sealed log.",
  "log.held":
    "The content is under a legal hold and can't be erased. `adyton hold list` shows by whom and until when.",
  "log.erasing": "The erasure of this content has begun, so it can't be held any more.",
  "log.exchange-open": "The exchange has not ended yet. Erase it when it has.",
  "log.erasure-waits":
    "The erasure is recorded, but the ledger did not seal it in time. Check the ledger, then run adyton erase --resume.",
  "log.too-many-open": "More exchanges are open at once than the ledger keeps track of.",
  "log.witness-key-malformed":
    "witness/witness.key is not what Adyton wrote. Restore it from the backup, or delete it to become a new witness.",
  "log.witness-failed":
    "A witness could not be reached in time, or its answer was no cosignature by its keys. It is asked again with growing pauses.",
  "log.witness-ahead":
    "A witness has cosigned a longer log under this log's name. This log was rolled back, or another one signs with its key: stop it and compare them.",
  "log.witness-refused":
    "A witness refuses this log's checkpoint: key or origin unknown to it, or the checkpoint contradicts what it cosigned before. Check its configuration; for a contradiction, stop and compare the logs.",
  "log.timestamp-roots":
    "A file of trusted timestamp roots can't be read, or holds no certificate in PEM. Check log.timestamps in the configuration.",
  "log.timestamp-failed":
    "A timestamp authority could not be reached in time, or its answer is no timestamp that verifies. It is asked again with growing pauses.",
  "log.timestamp-invalid":
    "A stored timestamp does not verify, or is about another checkpoint than its name says.",
  "log.monitor-failed":
    "The monitored log could not be read, or what it serves does not fit its signed checkpoint. It is looked at again.",
  "log.proof-invalid": "The proof does not verify.",
} as const;

export type LogErrorCode = keyof typeof LOG_ERROR_CODES;

export class LogError extends AdytonError<LogErrorCode> {}

/** The error that a failed disk operation becomes: full disks get their own code. */
export function diskError(what: string, cause: unknown): LogError {
  const full =
    cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT");
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LogError(full ? "log.disk-full" : "log.write-failed", `${what}: ${reason}`, { cause });
}
