// Checkpoints carry two signatures of the log; key files made before that get their second key once, whoever opens them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { formatNote, parseNote } from "../../src/core/note.ts";
import { ED25519_NOTE, formatVerifierKey, ML_DSA_44_COSIGNATURE } from "../../src/core/verifier-key.ts";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { type Bench, bench, exchanges, sealAll } from "./helper.ts";

const NOW_MS = 1_700_000_000_000;

async function sealed(t: Parameters<typeof bench>[0]): Promise<Bench> {
  const made = await bench(t);
  const writer = await made.writer();
  await exchanges(writer, 0, 3);
  await writer.close();
  const ledger = await made.ledger({ clock: () => NOW_MS });
  await sealAll(ledger);
  ledger.close();
  return made;
}

/** The key file as it was before checkpoints had a second signature. */
async function withoutPostQuantumKey(folder: string): Promise<void> {
  const path = join(folder, "keys/installation.key");
  const { mldsa44: _, ...file } = JSON.parse(await readFile(path, "utf8")) as { mldsa44?: object };
  await writeFile(path, JSON.stringify(file));
}

test("a checkpoint is signed with Ed25519, then with ML-DSA-44 and the time", async (t) => {
  const { folder, keys } = await sealed(t);
  const bytes = await readFile(join(folder, "log/checkpoint"));
  const opened = openCheckpoint(bytes, { keys: keys.verifierKeys(), origin: keys.origin });
  assert.ok(!("fault" in opened));
  assert.deepEqual(
    opened.verified.map(({ key, timeSeconds }) => [key.type, timeSeconds]),
    [
      [ED25519_NOTE, null],
      [ML_DSA_44_COSIGNATURE, NOW_MS / 1000],
    ],
  );
});

test("older checkpoints with one signature stay valid; without Ed25519, or with a wrong second one, they are not", async (t) => {
  const { folder, log, keys } = await sealed(t);
  const path = join(folder, "log/checkpoint");
  const note = parseNote(await readFile(path));
  assert.ok(!("fault" in note));
  const [ed25519, mlDsa44] = note.signatures;
  assert.ok(ed25519 !== undefined && mlDsa44 !== undefined);
  const wrong = Buffer.from(mlDsa44.signature);
  wrong.writeUInt8(wrong.readUInt8(2000) ^ 1, 2000);
  const cases = [
    { signatures: [ed25519], valid: true },
    { signatures: [mlDsa44], valid: false },
    { signatures: [ed25519, { ...mlDsa44, signature: wrong }], valid: false },
  ];
  for (const { signatures, valid } of cases) {
    await writeFile(path, formatNote(note.text, signatures));
    // Readers accept it; fsck expects of the newest one what the ledger makes of it when it next starts: all signatures.
    const report = await fsck({ folder, keys });
    assert.deepEqual([report.ok, report.problems[0]?.code], [false, "signature"]);
    if (valid) (await log()).close();
    else await assert.rejects(log(), { code: "log.checkpoint-invalid" });
  }
});

test("no bit of a checkpoint can change without changing what was verified", async (t) => {
  const { folder, keys } = await sealed(t);
  const bytes = await readFile(join(folder, "log/checkpoint"));
  const trusted = keys.verifierKeys();
  const text = bytes.subarray(0, bytes.indexOf("\n\n") + 1).toString();
  // Every 41st bit: a verification with ML-DSA-44 takes a millisecond, and 41 has no factor in common with a byte or a line.
  for (let bit = 0; bit < bytes.length * 8; bit += 41) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const opened = openCheckpoint(changed, { keys: trusted, origin: keys.origin });
    if ("fault" in opened) continue;
    // What remains possible is a line that no longer names its key: fewer signatures over the same text.
    assert.ok(opened.verified.length < 2 && opened.note.startsWith(text), `bit ${bit}`);
  }
});

test("an older key file gets its ML-DSA-44 key once, though many processes open it at the same time", async (t) => {
  const { folder, keys } = await bench(t);
  const former = keys.verifierKeys().map(formatVerifierKey);
  await withoutPostQuantumKey(folder);
  const keyring = new URL("../../src/log/keyring.ts", import.meta.url).href;
  const text = new URL("../../src/core/verifier-key.ts", import.meta.url).href;
  const program = `import { Keyring } from ${JSON.stringify(keyring)};
    import { formatVerifierKey } from ${JSON.stringify(text)};
    const keys = await Keyring.open({ folder: process.argv[1] });
    console.log(keys.verifierKeys().map(formatVerifierKey).join("\\n"));`;
  const run = promisify(execFile);
  const said = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = await run(process.execPath, ["--input-type=module", "--eval", program, folder]);
      return child.stdout.trim().split("\n");
    }),
  );
  const now = await Keyring.open({ folder });
  t.after(() => now.close());
  const expected = now.verifierKeys().map(formatVerifierKey);
  for (const vkeys of said) assert.deepEqual(vkeys, expected);
  assert.equal(expected[0], former[0]);
  assert.notEqual(expected[1], former[1]);
  assert.equal((await stat(join(folder, "keys/installation.key"))).mode & 0o777, 0o600);
  const names = await readdir(join(folder, "keys"));
  assert.deepEqual(
    names.filter((name) => name.startsWith("installation.key")),
    ["installation.key"],
  );
});
