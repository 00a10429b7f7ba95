// The databases that the state's tests run on: each test is written once and holds on both.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { EMBEDDED_STATE, type StateConfig } from "../../src/config/state-section.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";

/** An empty state for one test: pass `folder` and `config` to `State.open`. */
export interface FreshState {
  readonly folder: string;
  readonly config: StateConfig;
  /** Removes the folder. */
  remove(): void;
}

/** Declares the suite for SQLite and for PostgreSQL. `fresh` makes an empty state; call it within tests and hooks. */
export function onEachDatabase(declare: (fresh: () => Promise<FreshState>) => void): void {
  describe("on SQLite", () => declare(async () => placeFor(EMBEDDED_STATE)));
  describe("on PostgreSQL", () => {
    let server: TestPostgres | null = null;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server?.close());
    declare(async () => {
      if (server === null) throw new Error("expected PostgreSQL to run, got none");
      return placeFor(await server.database());
    });
  });
}

function placeFor(config: StateConfig): FreshState {
  const folder = mkdtempSync(join(tmpdir(), "adyton-state-"));
  return { folder, config, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
