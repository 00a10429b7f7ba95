// A lock that dies with its process, on every system: an exclusive transaction on an otherwise empty SQLite file.
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** How long to wait for a holder that is only probing. */
const ACQUIRE_TIMEOUT_MS = 2_000;

export class FolderLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Takes the lock at `path`, or null when another process (or another holder in this one) has it. */
  static acquire(path: string, timeoutMs: number = ACQUIRE_TIMEOUT_MS): FolderLock | null {
    closeSync(openSync(path, "a", 0o600));
    const database = new DatabaseSync(path, { timeout: timeoutMs });
    try {
      database.exec("BEGIN EXCLUSIVE");
      return new FolderLock(database);
    } catch (error) {
      database.close();
      if (error instanceof Error && /locked|busy/i.test(error.message)) return null;
      throw error;
    }
  }

  /** True when nobody holds the lock at `path` now. */
  static isFree(path: string): boolean {
    const lock = FolderLock.acquire(path, 0);
    lock?.release();
    return lock !== null;
  }

  release(): void {
    this.#database.close();
  }
}
