// The state as a gateway worker has it: the shared one, or this machine's last known copy until that answers again.
import { join } from "node:path";
import type { Logger } from "pino";
import { DataFolder } from "../../config/data-folder.ts";
import type { Config } from "../../config/schema.ts";
import type { Keyring } from "../../log/keyring.ts";
import { StateError } from "../../state/errors.ts";
import { LAST_KNOWN_PURPOSE, LastKnown } from "../../state/last-known.ts";
import { State } from "../../state/state.ts";

const HOUR_MS = 3_600_000;
/** Time between two attempts to reach the shared state, milliseconds. */
const RETRY_MS = 1000;

/** The copy of a shared state; null: the state is a file of this machine already. */
export function lastKnownOf(config: Config, keys: Pick<Keyring, "purposeKey">): LastKnown | null {
  const { url } = config.state;
  if (url === null) return null;
  const folder = new DataFolder(config.data).lastKnown;
  return new LastKnown({ folder, key: keys.purposeKey(LAST_KNOWN_PURPOSE), place: url, now: Date.now });
}

export interface StateSourceOptions {
  /** The worker's: its copy is opened in a folder of its own. */
  readonly name: string;
  readonly config: Config;
  readonly keys: Pick<Keyring, "purposeKey">;
  readonly log: Logger;
}

export class StateSource {
  readonly #options: StateSourceOptions;
  #state: State;
  #isCopy: boolean;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  readonly #followers: ((state: State) => void)[] = [];

  private constructor(options: StateSourceOptions, state: State, { isCopy }: { isCopy: boolean }) {
    this.#options = options;
    this.#state = state;
    this.#isCopy = isCopy;
    if (isCopy) this.#tryLater();
  }

  /** @throws StateError when the state can't be opened and there is no copy that is young enough */
  static async open(options: StateSourceOptions): Promise<StateSource> {
    const { config, log } = options;
    try {
      return new StateSource(options, await openShared(config), { isCopy: false });
    } catch (error) {
      const copy = isAway(error) ? await openCopy(options) : null;
      if (copy === null) throw error;
      const savedAt = new Date(copy.atMs).toISOString();
      log.error(
        { err: error, savedAt },
        "the state can't be reached; keys and verdicts are those last known",
      );
      return new StateSource(options, copy.state, { isCopy: true });
    }
  }

  get isCopy(): boolean {
    return this.#isCopy;
  }

  get current(): State {
    return this.#state;
  }

  /** For what must not be answered from a copy, nor written into it. @throws StateError `state-unavailable` */
  get shared(): State {
    if (!this.#isCopy) return this.#state;
    throw new StateError("state-unavailable", "expected the shared state, got this machine's copy alone");
  }

  /** Called with the shared state when it answers again. */
  onReturn(follow: (state: State) => void): void {
    this.#followers.push(follow);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#state.close();
  }

  #tryLater(): void {
    this.#timer = setTimeout(() => {
      this.#return().catch(() => {
        if (!this.#isClosed) this.#tryLater();
      });
    }, RETRY_MS);
  }

  async #return(): Promise<void> {
    const state = await openShared(this.#options.config);
    if (this.#isClosed) {
      await state.close();
      return;
    }
    // The copy stays open: a look into it may be under way. It ends with the process.
    this.#state = state;
    this.#isCopy = false;
    this.#options.log.info("the state answers again");
    for (const follow of this.#followers) follow(state);
  }
}

async function openShared({ data, state }: Config): Promise<State> {
  return await State.open({ folder: data, config: state });
}

async function openCopy({
  name,
  config,
  keys,
}: StateSourceOptions): Promise<{ state: State; atMs: number } | null> {
  const into = join(new DataFolder(config.data).run, `last-known-${name}`);
  const maxAgeMs = config.state.lastKnownHours * HOUR_MS;
  return (await lastKnownOf(config, keys)?.open(into, { maxAgeMs })) ?? null;
}

/** The database is away; a database that is there and wrong is no case for a copy. */
export function isAway(error: unknown): boolean {
  return error instanceof StateError && (error.code === "state-unavailable" || error.code === "state-busy");
}
