// Lets kysely speak to node:sqlite, safely from several processes at once.
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from "kysely";
import { StateError } from "./errors.ts";

/** SQLite's result codes that people can do something about (sqlite.org/rescode.html); the lowest byte counts. */
const BUSY: ReadonlySet<number> = new Set([5, 6]);
const FULL = 13;
const DAMAGED: ReadonlySet<number> = new Set([10, 11, 26]);

/** Transactions take the write lock at once: a read that turns into a write later would fail under a second process. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }
}

/** SQLite's schema changes are transactional, so a crash within a migration leaves nothing half-made. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #open: () => SqliteDatabase;

  constructor(open: () => SqliteDatabase) {
    super({ database: async () => open() });
    this.#open = open;
  }

  override createDriver(): Driver {
    return new ImmediateDriver({ database: async () => this.#open() });
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter();
  }
}

/** Opens (or makes) the file in WAL mode: readers never wait for a writer, and a commit survives a power cut. */
export function sqliteDialect(file: string, { busyTimeoutMs }: { busyTimeoutMs: number }): SqliteDialect {
  return new NodeSqliteDialect(() => {
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    database.exec("pragma journal_mode = wal; pragma synchronous = full;");
    return {
      close: () => database.close(),
      prepare: (sql) => statementOf(database, sql),
    };
  });
}

function statementOf(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = explained(() => database.prepare(sql));
  // kysely hands over what the query holds; node:sqlite refuses at run time what SQLite can't store.
  const values = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => explained(() => statement.all(...values(parameters))),
    run: (parameters) => explained(() => statement.run(...values(parameters))),
    iterate: (parameters) => statement.iterate(...values(parameters)) as IterableIterator<unknown>,
  };
}

/** Gives SQLite's failures the codes of this folder; what is a mistake of ours goes through as it is. */
function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const result = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & 0xff : 0;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (BUSY.has(result))
      throw new StateError("state-busy", `expected the state database to be free, got: ${reason}`, { cause });
    if (result === FULL)
      throw new StateError("state-full", `expected room on the disk, got: ${reason}`, { cause });
    if (DAMAGED.has(result)) {
      throw new StateError("state-damaged", `expected a sound state database, got: ${reason}`, { cause });
    }
    throw cause;
  }
}
