// Signing keys: rotation leaves old checkpoints valid and both keys in the log; a PKCS#11 token keeps them inside.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { DataFolder } from "../../src/config/data-folder.ts";
import { utf8Text } from "../../src/core/bytes.ts";
import { verifyProof } from "../../src/core/proof.ts";
import { formatVerifierKey } from "../../src/core/verifier-key.ts";
import { LogError } from "../../src/log/errors.ts";
import { fsck } from "../../src/log/fsck.ts";
import { FileKeyStore } from "../../src/log/key-store.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { TokenKeyStore } from "../../src/log/token-key-store.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { Place } from "../cli/run.ts";
import { bench, exchanges, SMALL_SEGMENT, sealAll } from "./helper.ts";

const code = (expected: string) => (error: unknown) => error instanceof LogError && error.code === expected;
const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const onPath = (name: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
const noToken =
  existsSync(MODULE) && onPath("pkcs11-tool") && onPath("softhsm2-util")
    ? false
    : "softhsm2 or opensc is missing";

async function grow(folder: string, from: number, to: number): Promise<void> {
  const keys = await Keyring.open({ folder });
  const writer = await LogWriter.open({ folder, keys, writer: "gateway-0", segmentBytes: SMALL_SEGMENT });
  await exchanges(writer, from, to);
  await writer.close();
  const ledger = await Ledger.open({ folder, keys });
  await sealAll(ledger);
  ledger.close();
  keys.close();
}

async function proofOf(folder: string, index: number): Promise<{ proof: string; keys: readonly string[] }> {
  const keys = await Keyring.open({ folder });
  const log = await SealedLog.open({ folder, keys });
  const proof = await log.prove(index);
  log.close();
  keys.close();
  return { proof, keys: keys.currentKeys().map(formatVerifierKey) };
}

test("rotation: announced, recorded with both keys, and everything from before still verifies", async (t) => {
  const place = new Place();
  t.after(() => place.end());
  await mkdir(place.data, { mode: 0o700 });
  await grow(place.data, 0, 5);
  const before = await proofOf(place.data, 3);
  const prepared = JSON.parse((await place.adyton("log rotate-keys --prepare --json")).out) as {
    keys: string[];
  };
  const rotated = JSON.parse((await place.adyton("log rotate-keys --json")).out) as { keys: string[] };
  assert.deepEqual(rotated.keys, prepared.keys);
  const folder = place.data;
  const after = await proofOf(folder, 3);
  assert.deepEqual(after.keys, rotated.keys);
  assert.notDeepEqual(after.keys, before.keys);
  const keys = await Keyring.open({ folder });
  t.after(() => keys.close());
  const all = keys.verifierKeys();
  assert.deepEqual(all.map(formatVerifierKey), [...after.keys, ...before.keys]);
  const [newKeys, oldKeys] = [all.slice(0, 2), all.slice(2)];
  assert.ok(!("fault" in verifyProof(before.proof, { keys: oldKeys })), "an old proof under the old key");
  assert.ok(!("fault" in verifyProof(before.proof, { keys: all })));
  const refused = verifyProof(before.proof, { keys: newKeys });
  assert.equal("fault" in refused && refused.fault, "no-trusted-signature");
  assert.ok(!("fault" in verifyProof(after.proof, { keys: newKeys })));
  const log = await SealedLog.open({ folder, keys });
  t.after(() => log.close());
  const details: Record<string, unknown> = {};
  for await (const { leaf, content } of log.records(0, await log.size()))
    if (leaf.act?.startsWith("signing-keys."))
      details[leaf.act] = JSON.parse(utf8Text(content?.get("detail") ?? new Uint8Array()) ?? "");
  const told = details["signing-keys.rotated"] as { former: string[]; current: string[] };
  assert.deepEqual([told.former, told.current], [before.keys, after.keys]);
  assert.deepEqual((details["signing-keys.prepared"] as { next: string[] }).next, after.keys);
  await grow(folder, 5, 9);
  assert.deepEqual((await fsck({ folder, keys })).problems, []);
});

test("a checkpoint of before the rotation that was left by a crash is accepted and signed again", async (t) => {
  const { folder, writer, ledger } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 3);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const store = new FileKeyStore(join(folder, "keys", "installation.key"));
  await store.activateNext(); // nothing was prepared: nothing changes
  const [prepared, again] = [await store.prepareNext(), await store.prepareNext()];
  assert.deepEqual(prepared, again);
  await store.activateNext();
  const keys = await Keyring.open({ folder });
  t.after(() => keys.close());
  const checkpoint = join(folder, "log", "checkpoint");
  const old = await readFile(checkpoint, "utf8");
  const reader = await SealedLog.open({ folder, keys });
  assert.equal(await reader.size(), 6);
  reader.close();
  (await Ledger.open({ folder, keys })).close();
  assert.notEqual(await readFile(checkpoint, "utf8"), old);
  assert.deepEqual((await fsck({ folder, keys })).problems, []);
});

/** A software token with nothing in it. */
async function softToken(
  t: TestContext,
  pin: string,
): Promise<{ module: string; label: string; pinFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-hsm-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "tokens"));
  const configuration = join(folder, "softhsm2.conf");
  await writeFile(configuration, `directories.tokendir = ${join(folder, "tokens")}\n`);
  process.env["SOFTHSM2_CONF"] = configuration;
  const slots = ["--init-token", "--free", "--label", "adyton", "--pin", pin, "--so-pin", "00000000"];
  execFileSync("softhsm2-util", slots, { stdio: "pipe" });
  await writeFile(join(folder, "pin"), `${pin}\n`, { mode: 0o600 });
  return { module: MODULE, label: "adyton", pinFile: join(folder, "pin") };
}

test("a token signs checkpoints, unlocks content, rotates, and is missed when it is gone", {
  skip: noToken,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-log-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const data = await DataFolder.create(folder);
  const place = await softToken(t, "1234");
  await TokenKeyStore.create(data, place);
  await assert.rejects(TokenKeyStore.create(data, place), code("log.token-exists"));
  await grow(folder, 0, 4);
  const before = await proofOf(folder, 2);
  const store = new TokenKeyStore(data.installationToken);
  await store.prepareNext();
  await store.activateNext();
  await grow(folder, 4, 6);
  const keys = await Keyring.open({ folder });
  assert.ok(!("fault" in verifyProof(before.proof, { keys: keys.verifierKeys() })));
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.problems, report.size, report.checked.commitments], [[], 12, 12]);
  keys.close();
  assert.equal(existsSync(data.installationKey), false);

  const right = await readFile(place.pinFile);
  await writeFile(place.pinFile, "9999\n");
  await assert.rejects(Keyring.open({ folder }), code("log.token-failed"));
  await writeFile(place.pinFile, right);
  await softToken(t, "1234"); // another token of the same name and PIN
  await assert.rejects(Keyring.open({ folder }), code("log.token-failed"));
});
