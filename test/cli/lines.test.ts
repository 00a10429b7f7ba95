// Lines of plain and gzipped files, whatever the chunks, line ends and lengths.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { CliError } from "../../src/cli/errors.ts";
import { readLines } from "../../src/cli/lines.ts";

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-lines-"));
});
after(() => rm(root, { recursive: true, force: true }));

async function read(bytes: Uint8Array, maxLineBytes?: number): Promise<(string | null)[]> {
  const path = join(root, "file");
  await writeFile(path, bytes);
  const lines: (string | null)[] = [];
  for await (const batch of readLines(path, maxLineBytes === undefined ? {} : { maxLineBytes })) {
    assert.equal(batch.firstLine, lines.length + 1);
    lines.push(...batch.lines);
  }
  return lines;
}

test("only a line feed ends a line", async () => {
  const text = 'one\r\n"two\u2028still two"\n\nlast without end';
  const expected = ["one", '"two\u2028still two"', "", "last without end"];
  assert.deepEqual(await read(Buffer.from(text)), expected);
  assert.deepEqual(await read(gzipSync(text)), expected);
  assert.deepEqual(await read(Buffer.alloc(0)), []);
});

test("lines over many chunks, and characters cut by them", async () => {
  const long = "ü".repeat(1_500_000);
  assert.deepEqual(await read(Buffer.from(`a\n${long}\nb\n`)), ["a", long, "b"]);
});

test("a line that is too long is handed out as null and the next is fine", async () => {
  const text = `${"x".repeat(3_000_000)}\nshort\n${"y".repeat(101)}\n`;
  assert.deepEqual(await read(Buffer.from(text), 100), [null, "short", null]);
});

test("a missing file and a broken gzip are errors", async () => {
  const missing = readLines(join(root, "missing")).next();
  await assert.rejects(missing, (error) => error instanceof CliError && error.code === "usage");
  const whole = gzipSync("x\n".repeat(100_000));
  const cut = read(whole.subarray(0, whole.length - 20));
  await assert.rejects(cut, (error) => error instanceof CliError && error.code === "input-damaged");
});
