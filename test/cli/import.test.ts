// `adyton import` from a file to the store: what is skipped and said, importing twice, and beside a running ledger.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { closeDraft, openDraft } from "../../src/cli/import/drafts.ts";
import type { ImportSummary } from "../../src/cli/import/run.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { exchangeOf } from "../../src/core/decode/exchange-of.ts";
import { readNeutralExchange } from "../../src/core/decode/neutral.ts";
import { FIELDS, type RecordDraft } from "../../src/core/record.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { smallWorld } from "../helpers/small-world.ts";

const ADYTON: string = fileURLToPath(new URL("../../bin/adyton.mjs", import.meta.url));

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-import-"));
});
after(() => rm(root, { recursive: true, force: true }));

function adyton(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [ADYTON, ...args], { encoding: "utf8", cwd: root, timeout: 120_000 });
}

function summaryOf(stdout: string): ImportSummary {
  return JSON.parse(stdout) as ImportSummary;
}

describe("adyton import exchanges", () => {
  test("imports, reports malformed lines with their numbers, and skips what is known", async () => {
    const { exchanges, accounts } = smallWorld({ exchanges: 300 });
    const lines = [
      exchanges.slice(0, 100).join("\n"),
      '{"id":1}',
      "not JSON",
      exchanges.slice(100).join("\n"),
      "",
    ];
    await writeFile(join(root, "world.jsonl.gz"), gzipSync(lines.join("\n")));
    await writeFile(join(root, "accounts.jsonl"), `${accounts.join("\n")}\n`);
    const first = adyton(
      "import",
      "exchanges",
      "world.jsonl.gz",
      "--accounts",
      "accounts.jsonl",
      "--data",
      "d",
      "--json",
    );
    assert.equal(first.status, 3, first.stderr);
    const summary = summaryOf(first.stdout);
    assert.equal(summary.exchanges, 300);
    assert.equal(summary.rejected, 2);
    assert.deepEqual(summary.rejections, [
      {
        file: "world.jsonl.gz",
        line: 101,
        reason: "expected time to be an ISO 8601 time from 1970 to 9998, got nothing",
      },
      { file: "world.jsonl.gz", line: 102, reason: "expected a JSON object" },
    ]);
    assert.equal(summary.records, 600 + summary.accountsCreated);

    const again = adyton("import", "exchanges", "world.jsonl.gz", "--data", "d");
    assert.equal(again.status, 3);
    assert.match(
      again.stdout,
      /^Imported 0 exchanges .*; 300 already known, 2 lines rejected; 0 accounts new/,
    );
    assert.match(again.stderr, /^world\.jsonl\.gz:101: expected time to be .*; line skipped$/m);

    const status = JSON.parse(adyton("store", "status", "--data", "d", "--json").stdout) as Record<
      string,
      unknown
    >;
    assert.equal(status["behind"], 0);
    assert.equal(status["position"], summary.records);
  });

  test("beside a running ledger it only writes, and waits until everything is sealed", {
    timeout: 120_000,
  }, async () => {
    const folder = join(root, "beside");
    const { exchanges } = smallWorld({ exchanges: 200 });
    await writeFile(join(root, "beside.jsonl"), exchanges.join("\n"));
    const keys = await Keyring.open({ folder });
    const ledger = await Ledger.open({ folder, keys });
    const stop = new AbortController();
    const running = ledger.run(stop.signal);
    try {
      const child = spawn(
        process.execPath,
        [ADYTON, "import", "exchanges", "beside.jsonl", "--data", folder, "--json"],
        {
          cwd: root,
        },
      );
      let stdout = "";
      child.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      const status = await new Promise((resolve) => child.once("exit", resolve));
      assert.equal(status, 0);
      const summary = summaryOf(stdout);
      assert.equal(summary.besideServer, true);
      assert.equal(ledger.size, summary.records);
    } finally {
      stop.abort();
      await running;
      ledger.close();
      keys.close();
    }
  });

  test("a usage error has its exit code", () => {
    assert.equal(adyton("import", "exchanges", "missing.jsonl", "--data", "d").status, 2);
    assert.equal(adyton("import", "exchanges").status, 2);
  });
});

describe("records of an imported exchange", () => {
  test("are canonical JSON, and come back as the exchange that went in", () => {
    for (const line of smallWorld({ exchanges: 40 }).exchanges) {
      const read = readNeutralExchange(line);
      assert.ok("value" in read);
      const { value } = read;
      const records = [openDraft(value), closeDraft(value)].map(asRecord);
      const [open, close] = records;
      assert.ok(open !== undefined && close !== undefined);
      for (const name of ["headers", "network"]) assertCanonical(open.content.get(name));
      for (const name of ["headers", "figures"]) assertCanonical(close.content.get(name));
      const exchange = exchangeOf(open, close, { decompress: () => null });
      assert.deepEqual(exchange, { ...value, outcome: "complete" });
    }
  });
});

function asRecord(draft: RecordDraft): {
  leaf: { kind: RecordDraft["kind"]; time: string; exchange: string };
  account: string | null;
  content: Map<string, Uint8Array>;
} {
  assert.ok(draft.kind !== "act");
  const content = new Map(
    FIELDS[draft.kind].map((name, index) => [name, Buffer.from(draft.fields[index] ?? "")]),
  );
  const leaf = { kind: draft.kind, time: new Date(draft.timeMs).toISOString(), exchange: draft.exchange };
  return { leaf, account: draft.account, content };
}

function assertCanonical(bytes: Uint8Array | undefined): void {
  const text = Buffer.from(bytes ?? []).toString();
  assert.equal(text, canonicalJson(JSON.parse(text)));
}
