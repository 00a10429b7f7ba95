// Go's own implementation of notes, trees and tiles must agree with our log, byte for byte.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatVerifierKey } from "../../src/core/verifier-key.ts";
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
