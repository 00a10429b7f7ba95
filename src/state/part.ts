// What every part of the state works with, handed over once instead of in a constructor each.
import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

export type RandomBytes = (size: number) => Uint8Array;

export interface StateContext {
  readonly db: Kysely<Tables>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random?: RandomBytes | undefined;
}

/** Base of the classes that `State` hands out: each is a subject with its tables. */
export abstract class StatePart {
  protected readonly db: Kysely<Tables>;
  protected readonly now: () => number;
  protected readonly random: RandomBytes;

  constructor({ db, now, random = randomBytes }: StateContext) {
    this.db = db;
    this.now = now;
    this.random = random;
  }
}
