// Binary rows arrive as the same rows that JSON brings, embedded through a file and at a server as the request's body.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { FEATURE_COLUMNS } from "../../src/detect/features/columns.ts";
import { SipHash } from "../../src/detect/features/siphash.ts";
import type { Columns } from "../../src/store/encoded-rows.ts";
import { Engine } from "../../src/store/engine.ts";
import { RowBinaryBuilder } from "../../src/store/row-binary.ts";
import { Store } from "../../src/store/store.ts";

const COLUMNS = {
  name: "String",
  small: "UInt8",
  medium: "UInt16",
  large: "UInt32",
  hash: "UInt64",
  share: "Float32",
  maybe: "Nullable(Float64)",
  few: "Nullable(Float32)",
  time: "DateTime64(3, 'UTC')",
  since: "Nullable(DateTime64(3, 'UTC'))",
  signs: "Array(Int8)",
  classes: "Array(UInt16)",
  steps: "Array(Int16)",
  ids: "Array(UInt32)",
  hashes: "Array(UInt64)",
} as const satisfies Columns;

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-rows-"));
});
after(() => rm(root, { recursive: true, force: true }));

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const time = fc
  .date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());
const row = fc.record({
  name: fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.constant("a\ud800b\u0000\t\\'")),
  small: fc.integer({ min: 0, max: 255 }),
  medium: fc.integer({ min: 0, max: 65_535 }),
  large: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  hash: uint64,
  share: fc.integer({ min: -1000, max: 1000 }).map((value) => value / 8),
  maybe: fc.option(fc.integer()),
  few: fc.option(fc.integer({ min: -1000, max: 1000 })),
  time,
  since: fc.option(time),
  signs: fc.array(fc.integer({ min: -127, max: 127 }), { maxLength: 70 }),
  classes: fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 5 }),
  steps: fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 40 }),
  ids: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 200 }),
  hashes: fc.array(uint64, { maxLength: 5 }),
});

test("the embedded engine reads from bytes what it reads from JSON, whatever stands in its folder's name", async () => {
  const store = await Store.open({ folder: join(root, "it's {1..3} of * \\ stores") });
  try {
    const columns = Object.entries({ leaf: "UInt64", ...COLUMNS }).map(([name, type]) => `${name} ${type}`);
    for (const table of ["from_json", "from_bytes"])
      await store.execute(`CREATE TABLE ${table} (${columns.join(", ")}) ENGINE = MergeTree ORDER BY leaf`);
    const rows = fc.sample(row, { numRuns: 300, seed: 7 });
    await store.insert(
      "from_json",
      rows.map((each, leaf) => ({ leaf, ...each })),
    );
    const builder = new RowBinaryBuilder(COLUMNS);
    rows.forEach((each, leaf) => {
      builder.add(each, leaf);
    });
    const [encoded] = builder.take();
    assert.deepEqual([encoded?.rows, encoded?.leaves], [300, { first: 0, last: 299 }]);
    await store.insertBatch({ lines: { from_bytes: encoded === undefined ? [] : [encoded] }, position: 300 });
    const [plain, binary] = await Promise.all(
      ["from_json", "from_bytes"].map((table) => store.query(`SELECT * FROM ${table} ORDER BY leaf`)),
    );
    assert.equal(plain?.length, 300);
    assert.deepEqual(binary, plain);
  } finally {
    await store.close();
  }
});

test("neighbouring rows become one insert, and no file of theirs stays behind", async () => {
  const folder = join(root, "together");
  const store = await Store.open({ folder });
  try {
    await store.execute("CREATE TABLE numbers (leaf UInt64, hash UInt64) ENGINE = MergeTree ORDER BY leaf");
    const part = (leaf: number): ReturnType<RowBinaryBuilder["take"]> => {
      const builder = new RowBinaryBuilder({ hash: "UInt64" });
      builder.add({ hash: BigInt(leaf) * 3n }, leaf);
      return builder.take();
    };
    await store.insertBatch({ lines: { numbers: [...part(0), ...part(1), ...part(2)] }, position: 3 });
    const [found] = await store.query(
      "SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(_part)) AS parts, sum(hash) AS sum FROM numbers",
    );
    assert.deepEqual(found, { rows: 3, parts: 1, sum: "9" });
    assert.deepEqual(await readdir(join(folder, "incoming")), []);
  } finally {
    await store.close();
  }
});

test("a member that is no column is refused, and a number too large does not wrap around", () => {
  const builder = new RowBinaryBuilder({ small: "UInt8" });
  assert.throws(() => builder.add({ other: 1 }, 0), TypeError);
  const clamped = new RowBinaryBuilder({ small: "UInt8" });
  for (const small of [300, -1, Number.NaN]) clamped.add({ small }, 0);
  assert.deepEqual(
    [...(clamped.take()[0]?.bytes ?? [])].filter((_, at) => at % 9 === 8),
    [255, 0, 0],
  );
});

test("the declared columns are those of the tables", async () => {
  const store = await Store.open({ folder: join(root, "own") });
  try {
    for (const [table, columns] of Object.entries(FEATURE_COLUMNS)) {
      const found = await store.query<{ name: string; type: string }>(
        `SELECT name, replaceAll(replaceAll(type, 'LowCardinality(String)', 'String'), '"', '') AS type
         FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND name != 'leaf' AND default_kind != 'ALIAS'`,
        { table },
      );
      const known = Object.fromEntries(found.map(({ name, type }) => [name, type]));
      assert.deepEqual({ ...columns }, known, table);
    }
    const sip = new SipHash(new Uint8Array(16).fill(1));
    const texts = fc.sample(fc.string({ unit: "binary", maxLength: 100 }), { numRuns: 50, seed: 3 });
    const key = BigInt("0x0101010101010101").toString();
    const engines = await store.query<{ hash: string }>(
      `SELECT sipHash64Keyed((toUInt64(${key}), toUInt64(${key})), unhex(arrayJoin({texts:Array(String)}))) AS hash`,
      { texts: texts.map((text) => Buffer.from(text).toString("hex")) },
    );
    assert.deepEqual(
      texts.map((text) => String(sip.of(Buffer.from(text), 0, Buffer.byteLength(text)))),
      engines.map(({ hash }) => hash),
    );
  } finally {
    await store.close();
  }
});

test("a server gets the bytes as they are, and their columns in the statement", async () => {
  const requests: { url: URL; body: Buffer }[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ url: new URL(request.url ?? "", "http://server"), body: Buffer.concat(chunks) });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const engine = await Engine.open({ folder: root, url: `http://127.0.0.1:${port}` });
  try {
    const builder = new RowBinaryBuilder({ name: "String", hash: "UInt64" });
    builder.add({ name: "an\u0000other", hash: 2n ** 64n - 1n }, 5);
    const [encoded] = builder.take();
    assert.ok(encoded);
    await engine.insert("names", [encoded, encoded]);
    const sent = requests.find(({ body }) => body.length > 0 && !body.toString().startsWith("SELECT"));
    assert.deepEqual(sent?.body, Buffer.concat([encoded.bytes, encoded.bytes]));
    assert.match(
      sent?.url.searchParams.get("query") ?? "",
      /^INSERT INTO names \(leaf, name, hash\) SETTINGS .* SELECT leaf, name, hash FROM input\('leaf UInt64, name String, hash UInt64'\) FORMAT RowBinary$/,
    );
  } finally {
    await engine.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
