// Opens the state for the length of one command, and closes it whatever happens.
import { DataFolder } from "../config/data-folder.ts";
import type { ActRecorder } from "../core/acts.ts";
import type { Keyring } from "../log/keyring.ts";
import type { State } from "../state/state.ts";
import { openActLog, systemUser } from "./act.ts";
import type { Context } from "./context.ts";

/** For commands that only look. */
export async function withState<T>(
  { folder, config }: Pick<Context, "folder" | "config">,
  use: (context: { readonly state: State }) => Promise<T>,
): Promise<T> {
  // Loaded here: the help and the other commands need no database.
  const { State: control } = await import("../state/state.ts");
  const state = await control.open({ folder: folder.root, config: config.state });
  try {
    return await use({ state });
  } finally {
    await state.close();
  }
}

export interface Changing {
  readonly state: State;
  readonly record: ActRecorder;
  /** Who runs the command, as histories name people. */
  readonly by: string;
  /** The installation's keys, open as long as the log is. */
  readonly keys: Pick<Keyring, "purposeKey">;
}

/**
 * For commands that change facts: `record` goes to everything that does. The log is opened first and closed last, so
 * that two commands at once take their locks in the same order.
 */
export async function withChanges<T>(
  { folder, config }: Pick<Context, "folder" | "config">,
  use: (context: Changing) => Promise<T>,
): Promise<T> {
  const by = systemUser();
  const log = await openActLog(await DataFolder.create(folder.root), { by });
  try {
    return await withState({ folder, config }, ({ state }) =>
      use({ state, record: log.record, by, keys: log.keys }),
    );
  } finally {
    await log.close();
  }
}
