// Go's own implementation of notes, trees and tiles must agree with our log, byte for byte.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatNote, type Note, parseNote } from "../../src/core/note.ts";
import {
  ED25519_COSIGNATURE,
  formatVerifierKey,
  ML_DSA_44_COSIGNATURE,
} from "../../src/core/verifier-key.ts";
import { testSigner } from "../helpers/note-signer.ts";
import { bench, exchanges, sealAll } from "./helper.ts";

/** Where Debian's golang-golang-x-mod-dev puts the module; another GOPATH may be given. */
const GOPATH = process.env["ADYTON_TEST_GOPATH"] ?? "/usr/share/gocode";

function whySkip(): string | false {
  if (!existsSync(join(GOPATH, "src/golang.org/x/mod/sumdb/tlog")))
    return "golang-golang-x-mod-dev is not installed";
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "go is not installed";
  }
}

function noteOf(bytes: Uint8Array): Note {
  const note = parseNote(bytes);
  assert.ok(!("fault" in note));
  return note;
}

test("Go accepts our checkpoint, entries, tiles and proof", {
  skip: whySkip(),
  timeout: 180_000,
}, async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 333, 50);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  // Go knows neither kind of cosignature, and must not be disturbed by them.
  const note = noteOf(await readFile(join(folder, "log/checkpoint")));
  const witnesses = ([ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE] as const).map((type) =>
    testSigner("w.example", type),
  );
  const signatures = witnesses.map((witness) => witness.sign(note.text));
  await l.addCosignatures(formatNote(note.text, [...note.signatures, ...signatures]), { quorum: true });
  const reader = await log();
  const proof = join(folder, "record.tlog-proof");
  await writeFile(proof, await reader.prove(300));
  const [first] = keys.verifierKeys();
  assert.ok(first !== undefined);
  const key = formatVerifierKey(first);
  const program = join(import.meta.dirname, "peers/check.go");
  const env = {
    ...process.env,
    GOPATH,
    GO111MODULE: "off",
    GOFLAGS: "",
    GOCACHE: join(tmpdir(), "adyton-test-go-cache"),
  };
  const said = execFileSync("go", ["run", program, key, join(folder, "log"), proof], {
    env,
    encoding: "utf8",
  });
  assert.equal(said, "agreed: 666 leaves\n");
  l.close();
  reader.close();
});
