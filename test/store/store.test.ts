// The store on the real embedded engine: migrations, parameters, limits, batches in order, starting over.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AdytonError } from "../../src/core/errors.ts";
import { Store } from "../../src/store/store.ts";

const OWN_MIGRATIONS: string = fileURLToPath(new URL("../../src/store/migrations/", import.meta.url));
const CHILD: string = fileURLToPath(new URL("crash-child.ts", import.meta.url));
const NUMBERS_TABLE = `
-- Two statements, one of them over several lines; a comment with a semicolon;
CREATE TABLE IF NOT EXISTS numbers (leaf UInt64, n UInt64)
ENGINE = MergeTree ORDER BY leaf SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
CREATE TABLE IF NOT EXISTS names (leaf UInt64, name String) ENGINE = MergeTree ORDER BY name;
`;

let root = "";
let migrations = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-store-"));
  migrations = join(root, "migrations");
  await mkdir(migrations);
  await copyFile(
    join(OWN_MIGRATIONS, "0001_ingest_positions.sql"),
    join(migrations, "0001_ingest_positions.sql"),
  );
  await writeFile(join(migrations, "0002_numbers.sql"), NUMBERS_TABLE);
});
after(() => rm(root, { recursive: true, force: true }));

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof AdytonError && error.code === expected;
}

describe("store", () => {
  test("one process at a time holds the embedded engine", async () => {
    const folder = join(root, "locked");
    const store = await Store.open({ folder, migrations });
    try {
      const child = spawnSync(process.execPath, [CHILD, folder, migrations, "1"], { encoding: "utf8" });
      assert.match(child.stdout, /store\.locked/);
      assert.equal(child.status, 1);
    } finally {
      await store.close();
    }
  });

  test("takes batches in order and keeps its position across a reopening", async () => {
    const folder = join(root, "order");
    let store = await Store.open({ folder, migrations });
    assert.equal(await store.position(), 0);
    await store.insertBatch({
      rows: { numbers: [{ leaf: 0, n: 1 }], names: [{ leaf: 1, name: 'it\'s; \\ "odd"\n' }] },
      position: 4,
    });
    await assert.rejects(
      store.insertBatch({ rows: { numbers: [{ leaf: 3, n: 1 }] }, position: 6 }),
      code("store.batch-out-of-order"),
    );
    await assert.rejects(
      store.insertBatch({ rows: { numbers: [{ leaf: 6, n: 1 }] }, position: 6 }),
      code("store.batch-out-of-order"),
    );
    await assert.rejects(store.insertBatch({ rows: {}, position: 3 }), code("store.batch-out-of-order"));
    await store.close();
    store = await Store.open({ folder, migrations });
    assert.equal(await store.position(), 4);
    assert.deepEqual(await store.query("SELECT leaf, name FROM names"), [
      { leaf: "1", name: 'it\'s; \\ "odd"\n' },
    ]);
    await store.close();
    await assert.rejects(store.query("SELECT 1"), code("store.closed"));
  });

  test("binds parameters, quotes 64-bit integers and stops what takes too long", async () => {
    const store = await Store.open({ folder: join(root, "query"), migrations });
    try {
      const rows = await store.query<{ a: string; b: string[]; c: string }>(
        "SELECT {a:UInt64} AS a, {b:Array(String)} AS b, {c:String} AS c",
        { a: "18446744073709551615", b: ["x'); DROP TABLE numbers; --"], c: "tab\tquote'" },
      );
      assert.deepEqual(rows, [
        { a: "18446744073709551615", b: ["x'); DROP TABLE numbers; --"], c: "tab\tquote'" },
      ]);
      const slow = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)";
      await assert.rejects(store.query(slow, {}, { timeoutMs: 300 }), code("store.query-timeout"));
      await assert.rejects(store.query("SELECT nothing_like_this"), code("store.query-failed"));
      // A limit of one statement must not stay with the connection.
      const [kept] = await store.query<{ s: string }>("SELECT getSetting('max_execution_time') AS s");
      assert.equal(Number(kept?.s), 60);
    } finally {
      await store.close();
    }
  });

  test("a value can't end its quotes, alone or in a list, and a place without one is refused", async () => {
    const store = await Store.open({ folder: join(root, "hostile"), migrations });
    try {
      const texts = [
        "\\",
        "\\'",
        "'",
        "''",
        "a\\' OR 1; --",
        "\n\r\t;{b:String}",
        "\\N",
        "\\0",
        "é\u2028😀",
        "",
      ];
      for (const text of texts) {
        const rows = await store.query("SELECT {a:String} AS a, {b:Array(String)} AS b", {
          a: text,
          b: [text, text],
        });
        assert.deepEqual(rows, [{ a: text, b: [text, text] }]);
      }
      const many = Array.from({ length: 100_000 }, (_, i) => 2n ** 64n - 1n - BigInt(i));
      const [sum] = await store.query<{ n: number }>("SELECT toUInt32(length({a:Array(UInt64)})) AS n", {
        a: many,
      });
      assert.equal(sum?.n, many.length);
      // The same connections had a value for `a` a moment ago.
      for (let i = 0; i < 3; i++)
        await assert.rejects(store.query("SELECT {a:UInt8}"), code("store.query-failed"));
    } finally {
      await store.close();
    }
  });

  test("a long statement holds up nothing, and ends when nobody waits for it any more", async () => {
    const store = await Store.open({ folder: join(root, "beside"), migrations });
    try {
      const stop = new AbortController();
      const long =
        "SELECT sum(cityHash64(number)) AS s FROM numbers(100000000000000) WHERE number > {a:UInt8}";
      const answer = assert.rejects(
        store.query(long, { a: 1 }, { signal: stop.signal }),
        code("store.query-ended"),
      );
      await store.insertBatch({ rows: { names: [{ leaf: 0, name: "taken in meanwhile" }] }, position: 1 });
      const values = Array.from({ length: 20 }, (_, i) => String(i));
      const short = "SELECT name, {a:String} AS a FROM names";
      const rows = await Promise.all(values.map((a) => store.query(short, { a })));
      assert.deepEqual(
        rows.flat(),
        values.map((a) => ({ name: "taken in meanwhile", a })),
      );
      await store.erase({ records: [[0, 1]], account: null });
      assert.deepEqual(await store.query(short, { a: "" }), []);
      stop.abort();
      await answer;
      await assert.rejects(store.query(long, { a: 1 }, { signal: stop.signal }), code("store.query-ended"));
    } finally {
      await store.close();
    }
  });

  test("takes texts that are no valid Unicode", async () => {
    const store = await Store.open({ folder: join(root, "surrogates"), migrations });
    try {
      await store.insertBatch({ rows: { names: [{ leaf: 0, name: "a\ud800b\u0000\u2028" }] }, position: 1 });
      assert.deepEqual(await store.query("SELECT name FROM names"), [{ name: "a\ufffdb\u0000\u2028" }]);
    } finally {
      await store.close();
    }
  });

  test("after a failed insert the next batch starts clean", async () => {
    const store = await Store.open({ folder: join(root, "failed"), migrations });
    try {
      const rows = { numbers: [{ leaf: 0, n: 1 }], names: [{ leaf: 0, wrong: "column" }] };
      await assert.rejects(store.insertBatch({ rows, position: 1 }), code("store.query-failed"));
      await store.insertBatch({ rows: { numbers: [{ leaf: 0, n: 7 }] }, position: 1 });
      assert.deepEqual(await store.query("SELECT leaf, n FROM numbers"), [{ leaf: "0", n: "7" }]);
    } finally {
      await store.close();
    }
  });

  test("clear drops every table and begins again at 0", async () => {
    const store = await Store.open({ folder: join(root, "clear"), migrations });
    try {
      await store.insertBatch({ rows: { numbers: [{ leaf: 0, n: 1 }] }, position: 1 });
      await store.execute("CREATE TABLE stray (a UInt8) ENGINE = MergeTree ORDER BY a");
      await store.clear();
      assert.equal(await store.position(), 0);
      const names = (await store.tables()).map((each) => each.table);
      assert.deepEqual(names, ["ingest_positions", "names", "numbers", "schema_migrations"]);
      assert.deepEqual(await store.query("SELECT * FROM numbers"), []);
    } finally {
      await store.close();
    }
  });

  test("a migration that was changed after it was applied is refused, and an empty start heals it", async () => {
    const folder = join(root, "changed");
    const other = join(root, "other-migrations");
    await cp(migrations, other, { recursive: true });
    await (await Store.open({ folder, migrations: other })).close();
    await writeFile(join(other, "0002_numbers.sql"), NUMBERS_TABLE.replace("n UInt64", "n UInt32"));
    await assert.rejects(Store.open({ folder, migrations: other }), code("store.migration-changed"));
    await (await Store.openEmpty({ folder, migrations: other })).close();
    await writeFile(join(other, "0003_broken.sql"), "CREATE TABLE (;\n");
    await assert.rejects(Store.open({ folder, migrations: other }), code("store.migration-failed"));
    await writeFile(
      join(other, "0003_broken.sql"),
      "CREATE TABLE IF NOT EXISTS three (a UInt8) ENGINE = Memory;\n",
    );
    await (await Store.open({ folder, migrations: other })).close();
  });

  test("Adyton's own migrations apply, and every table fed from the log syncs its inserts to the disk", async () => {
    const store = await Store.open({ folder: join(root, "own") });
    try {
      const applied = await store.query("SELECT version FROM schema_migrations FINAL");
      assert.equal(
        applied.length,
        (await readdir(OWN_MIGRATIONS)).filter((each) => each.endsWith(".sql")).length,
      );
      const unsynced = await store.query<{ name: string }>(
        `SELECT name FROM system.tables
         WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
           AND (name = 'ingest_positions' OR name IN (SELECT table FROM system.columns WHERE name = 'leaf'))
           AND NOT (engine_full LIKE '%fsync_after_insert = %' AND engine_full LIKE '%fsync_part_directory = %')`,
      );
      assert.deepEqual(unsynced, []);
    } finally {
      await store.close();
    }
  });
});
