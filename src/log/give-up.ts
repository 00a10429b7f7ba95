// A writer at work destroys its old segments when it is asked to, because something in them was erased.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/** How often a writer looks whether it was asked. */
const LOOK_MS = 500;

/** A file in a writer's folder by which others ask. It goes when nothing is left from before it. */
export function giveUpRequest(folder: string): string {
  return join(folder, "give-up");
}

interface GiveUpOptions {
  /** The writer's folder. */
  readonly folder: string;
  readonly segments: {
    /** True: nothing is left from before `leave`. */
    retire(): Promise<boolean>;
  };
  /** Goes on in a fresh segment; false: not now. */
  readonly leave: () => Promise<boolean>;
}

export class GiveUp {
  readonly #options: GiveUpOptions;
  readonly #timer: NodeJS.Timeout;
  #hasLeft = false;
  #working: Promise<void> | null = null;

  constructor(options: GiveUpOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#working ??= this.#look()
        .catch(() => {}) // a disk that refuses is the writer's own trouble; the request stays
        .finally(() => {
          this.#working = null;
        });
    }, LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
  }

  async #look(): Promise<void> {
    const { folder, segments, leave } = this.#options;
    const request = giveUpRequest(folder);
    if (!existsSync(request)) {
      this.#hasLeft = false;
      return;
    }
    this.#hasLeft ||= await leave();
    if (!this.#hasLeft || !(await segments.retire())) return;
    this.#hasLeft = false;
    await rm(request, { force: true });
  }
}
