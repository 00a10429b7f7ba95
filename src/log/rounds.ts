// Work that is done again and again beside the sealing until it is told to stop: a failed round is reported, not fatal.
import { setTimeout as sleep } from "node:timers/promises";
import { LogError } from "./errors.ts";

export interface RoundsOptions {
  readonly everyMs: number;
  /** What to say of an error that is none of the log's own. */
  readonly failure: string;
  readonly onError: ((error: LogError) => void) | undefined;
}

/** Calls `step` until `signal` aborts, with a pause after each call. Never rejects. */
export async function rounds(
  step: (signal: AbortSignal) => Promise<unknown>,
  { everyMs, failure, onError }: RoundsOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await step(signal);
    } catch (cause) {
      const error = cause instanceof LogError ? cause : new LogError("log.write-failed", failure, { cause });
      if (!signal.aborted) onError?.(error);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}
