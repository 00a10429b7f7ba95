// The log's own operator changes a record and signs everything again with the real keys: witness and timestamp tell.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DataFolder } from "../../src/config/data-folder.ts";
import { base64, utf8 } from "../../src/core/bytes.ts";
import { encodeLeaf, parseLeaf } from "../../src/core/leaf.ts";
import { formatPolicy, parsePolicy } from "../../src/core/policy.ts";
import { verifyProof } from "../../src/core/proof.ts";
import { formatVerifierKey } from "../../src/core/verifier-key.ts";
import { CheckpointFile } from "../../src/log/checkpoint-file.ts";
import { Cosigning } from "../../src/log/cosigning.ts";
import { NODE_DISK } from "../../src/log/disk.ts";
import { fsck } from "../../src/log/fsck.ts";
import { readLedgerState, writeLedgerState } from "../../src/log/ledger-state.ts";
import { TileReader } from "../../src/log/tile-reader.ts";
import { timestampAuthorities } from "../../src/log/timestamp-client.ts";
import { TimestampFiles } from "../../src/log/timestamp-files.ts";
import { Timestamping } from "../../src/log/timestamping.ts";
import { TreeWriter } from "../../src/log/tree-writer.ts";
import { Witness } from "../../src/log/witness.ts";
import { startWitnessServer } from "../../src/log/witness-server.ts";
import { OPENSSL_MISSING, TestAuthority } from "../helpers/timestamp-authority.ts";
import { type Bench, bench, exchanges, sealAll } from "./helper.ts";

const REWRITTEN = 3;

/** Another time for one record, a tree made anew, and a checkpoint by the installation's real keys. */
async function rewrite({ folder, keys }: Bench): Promise<void> {
  const data = new DataFolder(folder);
  const state = await readLedgerState(NODE_DISK, data.ledgerState);
  assert.ok(state !== null);
  const entries: Uint8Array[] = [];
  const tiles = new TileReader(NODE_DISK, data.log);
  for (let bundle = 0; bundle * 256 < state.size; bundle++)
    for (const { bytes } of await tiles.entries(bundle, Math.min(256, state.size - bundle * 256)))
      entries.push(Uint8Array.from(bytes));
  const leaf = parseLeaf(entries[REWRITTEN] ?? new Uint8Array());
  assert.ok(leaf !== null);
  entries[REWRITTEN] = encodeLeaf({ ...leaf, time: "2023-11-14T00:00:00.000Z" });
  await rm(data.tiles, { recursive: true });
  const tree = await TreeWriter.load(NODE_DISK, data.log, 0);
  for (const entry of entries) tree.append(entry);
  await tree.flush();
  const [origin, size, root] = [keys.origin, tree.size, tree.root()];
  await writeLedgerState(NODE_DISK, data.ledgerState, { ...state, root: base64(root) });
  const checkpoints = new CheckpointFile(NODE_DISK, data);
  await checkpoints.publish({ origin, size, root }, { signers: keys.signers(), nowMs: Date.now() });
}

async function grow({ writer, ledger }: Bench, from: number, to: number): Promise<void> {
  const w = await writer();
  await exchanges(w, from, to);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
}

/** Nothing in the log itself contradicts the rewriting: that is the point. */
async function looksClean({ folder, keys }: Bench): Promise<void> {
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.problems, report.signatureChecked], [[], true]);
}

async function witnessOf(t: TestContext, { keys }: Bench) {
  const folder = await mkdtemp(join(tmpdir(), "adyton-witness-"));
  const witness = await Witness.open({ folder, name: "w.example", logs: keys.verifierKeys() });
  const server = await startWitnessServer({ witness, host: "127.0.0.1", port: 0 });
  t.after(async () => {
    await server.close();
    witness.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { name: "w", keys: witness.keys, url: `http://127.0.0.1:${server.port}/`, witness };
}

test("a rewritten log can't get its witness's signature, at its old size and when it has grown", async (t) => {
  const made = await bench(t);
  const { folder, keys } = made;
  const w = await witnessOf(t, made);
  const cosign = async (): Promise<{ errors: string[]; cosignatures: number }> => {
    const log = await made.log();
    const l = await made.ledger();
    const errors: string[] = [];
    const cosigning = new Cosigning({
      log,
      publish: (note, options) => l.addCosignatures(note, options),
      witnesses: [w],
      quorum: 1,
      everyMs: 1,
      timeoutMs: 30_000,
      onError: ({ code }) => errors.push(code),
    });
    const { cosignatures } = await cosigning.step();
    log.close();
    l.close();
    return { errors, cosignatures };
  };
  await grow(made, 0, 300);
  assert.deepEqual(await cosign(), { errors: [], cosignatures: 1 });
  const cosigned = join(folder, "log", "checkpoint.cosigned");
  const honest = await made.log();
  const proof = await honest.prove(REWRITTEN);
  honest.close();
  await rewrite(made);
  // The cosigned head that was published contradicts the new tree; an operator would remove it.
  const report = await fsck({ folder, keys, witnesses: w.keys });
  assert.deepEqual(
    report.problems.map(({ code, file }) => [code, file]),
    [["root", cosigned]],
  );
  await rm(cosigned);
  await looksClean(made);
  assert.deepEqual(await cosign(), { errors: ["log.witness-refused"], cosignatures: 0 });
  assert.deepEqual(
    w.witness.contradictions().map(({ reason, size }) => [reason, size]),
    [["other-root", 600]],
  );
  await grow(made, 300, 310);
  await looksClean(made);
  assert.deepEqual(await cosign(), { errors: ["log.witness-refused"], cosignatures: 0 });
  assert.ok(w.witness.contradictions().some(({ reason }) => reason === "no-consistency"));
  // What a verifier asks for is a quorum, which a rewritten record can't get any more; the old proofs still hold.
  const log = await made.log();
  const vkeys = keys.verifierKeys().map(formatVerifierKey);
  const text = formatPolicy({
    logs: vkeys.map((vkey) => ({ vkey, url: null })),
    witnesses: [{ name: "w", vkeys: w.keys.map(formatVerifierKey), url: w.url }],
    quorum: 1,
  });
  const policy = parsePolicy(utf8(text));
  assert.ok(!("fault" in policy));
  assert.deepEqual(verifyProof(await log.prove(REWRITTEN), { policy }), { fault: "below-quorum" });
  assert.ok(!("fault" in verifyProof(proof, { policy })));
  log.close();
});

test("a rewritten log contradicts the times that were put on it", { skip: OPENSSL_MISSING }, async (t) => {
  const made = await bench(t);
  const { folder, keys } = made;
  const authority = TestAuthority.make();
  const server = await authority.serve();
  t.after(async () => {
    await server.close();
    authority.remove();
  });
  const roots = join(authority.folder, "root.pem");
  const authorities = await timestampAuthorities([
    { name: "tsa", url: server.url, roots, certificates: null },
  ]);
  const files = new TimestampFiles(NODE_DISK, join(folder, "log", "timestamps"));
  const stamp = async (): Promise<void> => {
    const log = await made.log();
    const limits = { everyMs: 1, timeoutMs: 60_000, renewBeforeMs: 0 };
    await new Timestamping({ log, files, authorities, ...limits }).step();
    log.close();
  };
  await grow(made, 0, 150);
  await stamp();
  await grow(made, 150, 200);
  await rewrite(made);
  await looksClean(made);
  const report = await fsck({ folder, keys, authorities });
  const path = join(folder, "log", "timestamps", "300.tsa.tsr");
  assert.deepEqual(
    report.problems.map(({ code, file }) => [code, file]),
    [["root", path]],
  );
  assert.match(report.problems[0]?.message ?? "", /300 records that tsa put on 20/);
  // Who holds the stamped checkpoint needs nothing else: the stamp is openssl's word, and the log's own signature stands below.
  const { text } = await files.text("300.note");
  assert.equal(authority.accepts(await files.read("300.tsa.tsr"), utf8(text)), true);
  // A stamp of today over the rewritten tree does not go back in time.
  await stamp();
  const [old, fresh] = await Promise.all((await files.list()).map((name) => files.check(name, authorities)));
  assert.ok(old !== undefined && fresh !== undefined && fresh.verified.timeMs >= old.verified.timeMs);
  assert.equal((await fsck({ folder, keys, authorities })).ok, false);
});
