// Brings the database's tables to the newest form: ordered .sql files, each applied once and remembered.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_STATEMENT_TIMEOUT_MS, type Engine } from "./engine.ts";
import { StoreError } from "./errors.ts";
import { linesOf } from "./json-lines.ts";

/** One file `NNNN_name.sql`. Its statements must be repeatable (`IF NOT EXISTS`): a crash may leave half of them done. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
  readonly statements: readonly string[];
}

const CREATE_SCHEMA_MIGRATIONS = `
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32,
    name String,
    sha256 String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** What a batch inserts must be on the disk before its position is: a power cut must not undo the one and keep the other. */
const SELECT_UNSYNCED = `
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
  AND name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'leaf')
  AND NOT (engine_full LIKE '%fsync_after_insert = 1%' AND engine_full LIKE '%fsync_part_directory = 1%')`;
const SYNC_INSERTS =
  "ALTER TABLE {name:Identifier} MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1";

const SELECT_APPLIED = "SELECT version, name, sha256 FROM schema_migrations FINAL ORDER BY version";

/**
 * Reads `NNNN_name.sql` files of a folder in order. Statements end with `;` at the end of a line.
 * @throws StoreError store.migration-failed for a name that does not fit or a number used twice
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const migrations: Migration[] = [];
  for (const name of names) {
    const match = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name);
    const version = Number(match?.[1]);
    if (match === null || version <= (migrations.at(-1)?.version ?? 0)) {
      throw new StoreError(
        "store.migration-failed",
        `expected NNNN_name.sql with a number of its own, got ${name}`,
      );
    }
    const text = await readFile(join(folder, name), "utf8");
    const sha256 = createHash("sha256").update(text).digest("hex");
    migrations.push({ version, name, sha256, statements: statementsOf(text) });
  }
  return migrations;
}

/** Applies what is not applied yet, and lets every table fed from the log sync its inserts. @throws StoreError store.migration-changed, store.migration-failed */
export async function migrate(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  await engine.execute(CREATE_SCHEMA_MIGRATIONS, {});
  const rows = await engine.query<{ version: number; name: string; sha256: string }>(
    SELECT_APPLIED,
    {},
    DEFAULT_STATEMENT_TIMEOUT_MS,
  );
  const applied = new Map(rows.map((row) => [row.version, row]));
  const known = new Set(migrations.map((each) => each.version));
  const unknown = rows.find((row) => !known.has(row.version));
  if (unknown !== undefined) throw changed(unknown.name, "this version of Adyton does not have");
  for (const migration of migrations) {
    const before = applied.get(migration.version);
    if (before === undefined) await apply(engine, migration);
    else if (before.sha256 !== migration.sha256)
      throw changed(migration.name, "differs from what was applied");
  }
  const unsynced = await engine.query<{ name: string }>(SELECT_UNSYNCED, {}, DEFAULT_STATEMENT_TIMEOUT_MS);
  for (const { name } of unsynced) await engine.execute(SYNC_INSERTS, { name });
}

async function apply(engine: Engine, migration: Migration): Promise<void> {
  try {
    for (const statement of migration.statements) await engine.execute(statement, {});
  } catch (error) {
    throw new StoreError("store.migration-failed", `expected ${migration.name} to apply, got an error`, {
      cause: error,
    });
  }
  const { version, name, sha256 } = migration;
  await engine.insert("schema_migrations", linesOf([{ version, name, sha256 }]));
}

function changed(name: string, how: string): StoreError {
  return new StoreError(
    "store.migration-changed",
    `expected the migrations that were applied, got ${name}, which ${how}`,
  );
}

function statementsOf(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("--"))
    .join("\n")
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
