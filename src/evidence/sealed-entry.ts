// Waits until an entry of a case is sealed in the log: only then can it be proved.
import { setTimeout as sleep } from "node:timers/promises";
import type { Checkpoint } from "../core/checkpoint.ts";
import type { SealedLog } from "../log/sealed-log.ts";
import { EvidenceError } from "./errors.ts";
import { CASE_ACT, parseCustody } from "./verify/custody.ts";

/** A ledger seals within a second; a busy one, or one that is just starting, may need longer. */
export const SEAL_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export interface Sealing {
  readonly log: SealedLog;
  /** Seals what is written, where no server does; else does nothing. */
  readonly seal: () => Promise<void>;
  /** Whether witnesses must have cosigned. */
  readonly witnessed: boolean;
  /** Milliseconds since the epoch, or any other steady clock. */
  readonly clock: () => number;
}

/** @throws EvidenceError `evidence.not-sealed` */
export async function awaitEntry(
  { log, seal, clock }: Sealing,
  { caseId, number, from }: { caseId: string; number: number; from: number },
): Promise<number> {
  const deadlineMs = clock() + SEAL_TIMEOUT_MS;
  let next = from;
  for (;;) {
    await seal();
    for await (const { index, leaf } of log.leaves(next, Number.MAX_SAFE_INTEGER)) {
      next = index + 1;
      if (leaf.act !== CASE_ACT) continue;
      const detail = (await log.record(index)).content?.get("detail");
      const entry = detail === undefined ? null : parseCustody(detail);
      if (entry?.case === caseId && entry.number === number) return index;
    }
    if (clock() > deadlineMs)
      throw new EvidenceError(
        "evidence.not-sealed",
        `expected entry ${number} of ${caseId} in the log, got none`,
      );
    await sleep(POLL_MS);
  }
}

/** The newest checkpoint that covers `index`, and has its quorum where one is asked for. @throws EvidenceError `evidence.not-witnessed` */
export async function awaitCheckpoint(
  { log, witnessed, clock }: Sealing,
  index: number,
): Promise<Checkpoint> {
  const deadlineMs = clock() + SEAL_TIMEOUT_MS;
  for (;;) {
    const checkpoint = witnessed ? await log.cosigned() : await log.checkpoint();
    if (checkpoint !== null && checkpoint.size > index) return checkpoint;
    if (clock() > deadlineMs)
      throw new EvidenceError(
        "evidence.not-witnessed",
        `expected a cosigned checkpoint beyond record ${index}, got none`,
      );
    await sleep(POLL_MS);
  }
}
