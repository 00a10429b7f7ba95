// Writes the acts of a command into the log, durably, before the command says that it is done.
import { userInfo } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { DataFolder } from "../config/data-folder.ts";
import { type ActRecorder, actDraft } from "../core/acts.ts";
import { LogError } from "../log/errors.ts";
import type { Keyring } from "../log/keyring.ts";
import type { LogWriter } from "../log/writer.ts";
import { CliError } from "./errors.ts";

const WRITER = "cli";
/** Commands write a few hundred bytes. */
const SEGMENT_BYTES = 256 * 1024;
/** Another command may be at work; commands take milliseconds. */
const LOCK_ATTEMPTS = 5;
const LOCK_PAUSE_MS = 50;

/** The log as a command writes it. */
export interface ActLog {
  readonly record: ActRecorder;
  readonly keys: Pick<Keyring, "purposeKey">;
  close(): Promise<void>;
}

/** Opens the log for this command's acts, waiting for other commands to end. @throws LogError */
export async function openActLog(
  folder: DataFolder,
  { by = systemUser() }: { by?: string } = {},
): Promise<ActLog> {
  // Loaded here, so that commands that only look start faster.
  const { Keyring: keyring } = await import("../log/keyring.ts");
  const keys = await keyring.open({ folder: folder.root });
  try {
    const writer = await openWriter(folder, keys);
    return {
      record: recorderOf(writer, { by }),
      keys,
      close: async () => {
        await writer.close();
        keys.close();
      },
    };
  } catch (error) {
    keys.close();
    throw error;
  }
}

/** A recorder over any writer: resolves when every act is on disk. @throws CliError `act-not-durable` */
export function recorderOf(
  writer: Pick<LogWriter, "append">,
  { by, now = Date.now }: { by: string; now?: () => number },
): ActRecorder {
  return async (acts) => {
    const timeMs = now();
    try {
      await Promise.all(acts.map((act) => writer.append(actDraft(act, { by, timeMs })).durable));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CliError("act-not-durable", `expected the change in the log, got: ${reason}`, { cause });
    }
  };
}

async function openWriter(folder: DataFolder, keys: Keyring): Promise<LogWriter> {
  const { LogWriter: logWriter } = await import("../log/writer.ts");
  for (let attempt = 1; ; attempt++) {
    try {
      return await logWriter.open({ folder: folder.root, writer: WRITER, keys, segmentBytes: SEGMENT_BYTES });
    } catch (error) {
      const isTaken = error instanceof LogError && error.code === "log.locked";
      if (!isTaken || attempt === LOCK_ATTEMPTS) throw error;
      await setTimeout(LOCK_PAUSE_MS);
    }
  }
}

/** Who runs the command, as acts and decisions name them. */
export function systemUser(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // A container's user may have no name.
    return `cli:${process.getuid?.() ?? "unknown"}`;
  }
}
