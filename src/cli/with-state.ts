// Opens the state for the length of one command, and closes it whatever happens.
import type { ActRecorder } from "../core/acts.ts";
import { State } from "../state/state.ts";
import type { Context } from "./context.ts";

export interface StateContext {
  readonly state: State;
  /** Pass it to everything that changes a fact. */
  readonly record: ActRecorder;
}

export async function withState<T>(
  { folder }: Pick<Context, "folder">,
  use: (context: StateContext) => Promise<T>,
): Promise<T> {
  const state = await State.open({ folder: folder.root });
  try {
    return await use({ state, record: async () => {} });
  } finally {
    await state.close();
  }
}
