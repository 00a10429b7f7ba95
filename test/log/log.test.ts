// The way of a record: appended, durable, sealed, read back, proved, checked.
import assert from "node:assert/strict";
import { chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { verifyConsistency } from "../../src/core/merkle-verify.ts";
import { verifyProof } from "../../src/core/proof.ts";
import { LogError } from "../../src/log/errors.ts";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { act, allRecords, bench, close, exchanges, open, sealAll } from "./helper.ts";

const code = (expected: string) => (error: unknown) => error instanceof LogError && error.code === expected;

test("a record comes back as it was written, under its account's pseudonym", async (t) => {
  const { writer, ledger, log, keys, folder } = await bench(t);
  const w = await writer();
  w.append(open("ex-1", "what is a temple?"));
  w.append(act("key.created", "acme"));
  w.append(act("ledger.opened"));
  await w.append(close("ex-1", "a house")).durable;
  const l = await ledger();
  assert.equal(await sealAll(l), 4);
  const reader = await log();
  const [first, second, third, fourth] = await allRecords(reader);
  assert.equal(Buffer.from(first?.content?.get("request") ?? []).toString(), "what is a temple?");
  assert.equal(first?.account, "acme");
  assert.equal(first?.leaf.account, keys.pseudonymOf("acme"));
  assert.equal(first?.leaf.time, "2023-11-14T22:13:20.000Z");
  assert.deepEqual([second?.leaf.act, second?.account], ["key.created", "acme"]);
  assert.deepEqual([third?.leaf.account, third?.account], [undefined, null]);
  assert.equal(fourth?.leaf.open, 0);
  assert.deepEqual(await reader.findExchange("ex-1"), { open: 0, close: 3 });
  assert.deepEqual(await reader.findExchange("ex-2"), {});
  await assert.rejects(reader.record(4), code("log.not-found"));
  for (const part of ["log", "content", "segments"]) {
    for (const entry of await readdir(join(folder, part), { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        assert.ok(
          !(await readFile(join(entry.parentPath, entry.name))).includes("what is a temple"),
          entry.name,
        );
  }
  await w.close();
  reader.close();
  l.close();
});

test("proofs of records and of growth verify over bundles, tiles and segments", async (t) => {
  const { writer, ledger, log, keys, folder } = await bench(t);
  const w = await writer();
  const l = await ledger();
  const reader = await log();
  const heads: { size: number; root: Uint8Array }[] = [];
  for (const to of [1, 100, 128, 400]) {
    await exchanges(w, heads.length === 0 ? 0 : (heads.at(-1)?.size ?? 0) / 2, to, 300);
    await sealAll(l);
    heads.push(await reader.checkpoint());
  }
  assert.equal(await reader.size(), 800);
  for (const index of [0, 199, 255, 256, 511, 512, 799]) {
    const verified = verifyProof(await reader.prove(index), { keys: keys.verifierKeys() });
    assert.equal("fault" in verified ? verified.fault : verified.index, index);
  }
  for (const first of heads) {
    const proof = await reader.proveConsistency(first.size, 800);
    const last = await reader.checkpoint();
    const claim = { first: first.size, second: 800, firstRoot: first.root, secondRoot: last.root };
    assert.ok(verifyConsistency(claim, proof));
  }
  assert.equal((await fsck({ folder, keys })).ok, true);
  await w.close();
  l.close();
  reader.close();
});

test("an open whose writer has gone becomes interrupted, once; a restart goes on", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const first = await writer();
  first.append(open("cut"));
  await first.append(open("finished")).durable;
  await first.append(close("finished")).durable;
  const l = await ledger();
  assert.equal(await sealAll(l), 3);
  await first.close();
  const second = await writer();
  assert.ok(second.incarnation > first.incarnation);
  await second.append(open("later")).durable;
  assert.equal(await sealAll(l), 2);
  l.close();
  const again = await ledger();
  assert.equal(await sealAll(again), 0);
  await second.close();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.equal(await sealAll(again), 1);
  const reader = await log();
  const interrupted = (await allRecords(reader)).filter(({ leaf }) => leaf.kind === "interrupted");
  assert.deepEqual(
    interrupted.map(({ leaf }) => [leaf.exchange, leaf.open]),
    [
      ["cut", 0],
      ["later", 4],
    ],
  );
  assert.deepEqual(await reader.findExchange("cut"), { open: 0, close: 3 });
  assert.equal((await fsck({ folder, keys })).ok, true);
  again.close();
  reader.close();
});

test("while a step runs, the ledger's size is what was committed before it", async (t) => {
  const { writer, ledger } = await bench(t);
  const w = await writer();
  const l = await ledger();
  await exchanges(w, 0, 3);
  await sealAll(l);
  const stepping = l.step();
  assert.equal(l.size, 6);
  await stepping;
  l.close();
  const again = await ledger();
  assert.equal(again.size, 6);
  again.close();
  await w.close();
});

test("a writer's name has one holder, the ledger too", async (t) => {
  const { writer, ledger } = await bench(t);
  const w = await writer();
  await assert.rejects(writer(), code("log.locked"));
  await assert.rejects(writer({ writer: "../up" }), code("log.name"));
  const l = await ledger();
  await assert.rejects(ledger(), code("log.locked"));
  l.close();
  await w.close();
  await assert.rejects(w.append(open("late")).durable, code("log.closed"));
});

test("records that can't be written are refused one by one, and the others go on", async (t) => {
  const { writer, ledger } = await bench(t);
  const w = await writer();
  await assert.rejects(w.append(open("x".repeat(256))).durable, code("log.name"));
  await assert.rejects(w.append({ ...open("ex"), timeMs: Number.NaN }).durable, code("log.time"));
  const huge = {
    ...open("huge"),
    fields: [Buffer.alloc(65 * 1024 * 1024), Buffer.alloc(0), Buffer.alloc(0)],
  } as const;
  await assert.rejects(w.append(huge as ReturnType<typeof open>).durable, code("log.record-too-large"));
  const wide = w.append(open("wider than a segment", "x".repeat(200_000)));
  await Promise.all([wide.durable, w.append(open("next")).durable]);
  assert.equal(wide.sequence, 0);
  const l = await ledger();
  assert.equal(await sealAll(l), 2);
  l.close();
  await w.close();
});

test("sealed segments are used again, and their stale frames are never read", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  const l = await ledger();
  for (let round = 0; round < 12; round++) {
    await exchanges(w, round * 50, (round + 1) * 50, 500);
    await sealAll(l);
  }
  const files = (await readdir(join(folder, "segments", "gateway-0"))).filter((name) =>
    name.endsWith(".seg"),
  );
  assert.ok(files.length <= 5, `expected the files to be recycled, got ${files.length}`);
  const reader = await log();
  assert.deepEqual(
    (await allRecords(reader)).map(({ leaf }) => leaf.seq),
    Array.from({ length: 1200 }, (_, i) => i),
  );
  await w.close();
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.ok, report.checked.commitments, report.open], [true, 1200, 0]);
  l.close();
  reader.close();
});

test("a lost or damaged state.json is derived again from the leaves", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  w.append(open("waiting"));
  await exchanges(w, 0, 300, 300);
  const path = join(folder, "ledger", "state.json");
  let l = await ledger();
  await sealAll(l);
  const before = JSON.parse(await readFile(path, "utf8")) as { size: number; root: string; open: unknown };
  l.close();
  for (const damage of [() => rm(path), () => writeFile(path, "{}")]) {
    await damage();
    l = await ledger({ onError: (error) => assert.equal(error.code, "log.state-malformed") });
    const after = JSON.parse(await readFile(path, "utf8")) as typeof before;
    assert.deepEqual([after.size, after.root, after.open], [before.size, before.root, before.open]);
    assert.equal(await sealAll(l), 0);
    l.close();
  }
  l = await ledger();
  await w.append(close("waiting")).durable;
  assert.equal(await sealAll(l), 1);
  const reader = await log();
  assert.equal((await reader.record(601)).leaf.open, 0);
  await w.close();
  assert.equal((await fsck({ folder, keys })).ok, true);
  l.close();
  reader.close();
});

test("a lost index is derived again", async (t) => {
  const { writer, ledger, log, folder } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 200);
  let l = await ledger();
  await sealAll(l);
  l.close();
  await writeFile(join(folder, "ledger", "index.sqlite"), "no database");
  await rm(join(folder, "ledger", "index.sqlite-wal"), { force: true });
  l = await ledger();
  const reader = await log();
  assert.deepEqual(await reader.findExchange("ex-150"), { open: 300, close: 301 });
  await w.close();
  l.close();
  reader.close();
});

test("destroying an account's keys takes its content and leaves every proof", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 10);
  const l = await ledger();
  await sealAll(l);
  const account = keys.pseudonymOf("account-3");
  assert.equal(keys.destroyKeys(account, keys.keyIdsOf(account)), 1);
  const reader = await log();
  const gone = (await allRecords(reader)).filter(({ content }) => content === null);
  assert.deepEqual(
    gone.map(({ index }) => index),
    [6, 7, 16, 17],
  );
  const verified = verifyProof(await reader.prove(6), { keys: keys.verifierKeys() });
  assert.ok(!("fault" in verified));
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.checked.erased, report.checked.commitments], [4, 16]);
  // Nothing announced it, so it counts as lost.
  const codes = report.problems.map((problem) => `${problem.code} ${problem.index}`);
  assert.deepEqual(codes, ["erased 6", "erased 16"]);
  await w.append(open("back", "again", "account-3")).durable;
  await sealAll(l);
  assert.equal((await reader.record(20)).account, "account-3");
  await w.close();
  l.close();
  reader.close();
});

test("keys: mode, loss and mix-up are told apart; two starts at once make one key", async (t) => {
  const { folder, keys } = await bench(t);
  const path = join(folder, "keys", "installation.key");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, "keys", "accounts.sqlite"))).mode & 0o777, 0o600);
  await chmod(path, 0o640);
  await assert.rejects(Keyring.open({ folder }), code("log.key-mode"));
  await chmod(path, 0o600);
  const right = await readFile(path, "utf8");
  await writeFile(path, right.slice(0, -10));
  await assert.rejects(Keyring.open({ folder }), code("log.key-malformed"));
  await rm(path);
  await assert.rejects(Keyring.open({ folder }), code("log.key-lost"));
  const other = await bench(t);
  await writeFile(path, await readFile(join(other.folder, "keys", "installation.key")), { mode: 0o600 });
  await assert.rejects(Keyring.open({ folder }), code("log.key-wrong"));
  await writeFile(path, right, { mode: 0o600 });
  const again = await Keyring.open({ folder });
  assert.equal(again.pseudonymOf("acme"), keys.pseudonymOf("acme"));
  again.close();

  const fresh = join(folder, "fresh");
  const both = await Promise.all([Keyring.open({ folder: fresh }), Keyring.open({ folder: fresh })]);
  assert.equal(both[0].node, both[1].node);
  for (const one of both) one.close();
});
