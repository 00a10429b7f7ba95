// Proves what an export discloses, that strangers' tools read it, and that it verifies.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { HOSTILE_EXCHANGE } from "../helpers/fleet.ts";
import { openBundle } from "./forger.ts";
import { type CaseScene, caseScene } from "./scene.ts";

let scene: CaseScene;
let bytes: Buffer;
const text = (content: Uint8Array | undefined): string => new TextDecoder().decode(content);

before(async () => {
  scene = await caseScene();
  ({ bytes } = await scene.export());
});
after(() => scene.end());

describe("a bundle", () => {
  test("agrees with itself, and is verified under a policy from elsewhere", async () => {
    const alone = await verifyBundle(memorySource(bytes), { policy: null });
    assert.deepEqual(alone.reasons, []);
    assert.equal(alone.verdict, "consistent");
    const { verdict, proved } = await verifyBundle(memorySource(bytes), {
      policy: Buffer.from(scene.policy),
    });
    assert.equal(verdict, "verified");
    const fleet = new Set(scene.scene.fleet);
    assert.equal(proved?.exchanges, scene.scene.exchanges.filter(({ account }) => fleet.has(account)).length);
    assert.equal(proved?.fieldsWithheld, 0);
    assert.equal(proved?.custodyEntries, 4);
    assert.equal(proved?.findings, 1);
    assert.equal(proved?.origin, scene.keys.origin);
  });

  test("is refused under the policy of another log", async () => {
    const other = await caseScene({ days: 1, perDay: 1 });
    try {
      const { verdict, reasons } = await verifyBundle(memorySource(bytes), {
        policy: Buffer.from(other.policy),
      });
      assert.equal(verdict, "rejected");
      assert.equal(reasons[0]?.code, "checkpoint-refused");
    } finally {
      await other.end();
    }
  });

  test("tells nothing of other customers", async () => {
    const honest = scene.scene.facts
      .map(({ account }) => account)
      .filter((name) => !scene.scene.fleet.includes(name));
    assert.equal(honest.length, 5);
    const { files } = await openBundle(bytes);
    for (const [path, content] of files) {
      const shown = text(content);
      for (const name of honest) {
        assert.ok(!shown.includes(name), `${path} names ${name}`);
        assert.ok(!shown.includes(scene.keys.pseudonymOf(name)), `${path} holds the pseudonym of ${name}`);
      }
      assert.ok(!shown.includes("friendlier tone"), `${path} quotes an honest customer`);
    }
  });

  const skip = hasUnzip() ? false : "unzip is not installed";
  test("opens with unzip, and sha256sum agrees with its manifests", { skip }, () => {
    const folder = mkdtempSync(join(scene.folder, "unzipped-"));
    const file = join(folder, "bundle.zip");
    writeFileSync(file, bytes);
    execFileSync("unzip", ["-q", file, "-d", folder]);
    const base = join(folder, `adyton-${scene.caseId}`);
    for (const manifest of ["manifest-sha256.txt", "tagmanifest-sha256.txt"])
      execFileSync("sha256sum", ["--check", "--quiet", "--strict", manifest], { cwd: base });
    const run = execFileSync(process.execPath, [join(base, "data", "findings", "recompute.ts")], {
      encoding: "utf8",
    });
    assert.equal(
      (JSON.parse(run) as { pooled: { accounts: number } }).pooled.accounts,
      scene.scene.fleet.length,
    );
    rmSync(folder, { recursive: true });
  });

  test("shows hostile text as text only", async () => {
    const { files } = await openBundle(bytes);
    const exchange = scene.scene.exchanges.find(({ id }) => id === HOSTILE_EXCHANGE);
    assert.ok(exchange !== undefined && scene.scene.fleet.includes(exchange.account));
    for (const path of ["data/report/report.html", "data/report/certificate.html", "data/report/fleet.svg"]) {
      const shown = text(files.get(path));
      assert.ok(!/<script|<img|onerror="/i.test(shown), path);
      assert.ok(!/[\u202a-\u202e\u200b\u{e0061}]/u.test(shown), path);
    }
    assert.match(text(files.get("data/report/report.html")), /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    const timeline = text(files.get("data/timeline.jsonl")).trimEnd().split("\n");
    for (const line of timeline) {
      const event = JSON.parse(line) as Record<string, unknown>;
      for (const member of ["message", "datetime", "timestamp_desc"])
        assert.equal(typeof event[member], "string");
    }
    assert.ok(timeline.some((line) => line.includes("⟨U+202E⟩")));
  });

  test("has the same payload when it is made again from the same log at the same time", async () => {
    const size = { size: (await scene.log.checkpoint()).size };
    const [one, two] = [await scene.export({ recordsOnly: true }), await scene.export({ recordsOnly: true })];
    const [first, second] = [await openBundle(one.bytes), await openBundle(two.bytes)];
    // The second has one custody entry more: the first export. Everything that does not tell of it is the same.
    const records = [...first.files.keys()].filter((path) => path.startsWith("data/records/"));
    assert.ok(records.length > size.size / 4);
    for (const path of [...records, "data/findings/statistics.json", "data/case.json"])
      assert.deepEqual(second.files.get(path), first.files.get(path), path);
  });

  test("is a PDF, the same for the same blocks and time", async () => {
    const { renderPdf } = await import("../../src/evidence/report/pdf.ts");
    const blocks = [{ kind: "text", text: "Übung – Упражнение – 演習" } as const];
    const [one, two] = [
      await renderPdf("t", blocks, { atMs: 1_700_000_000_000 }),
      await renderPdf("t", blocks, { atMs: 1_700_000_000_000 }),
    ];
    assert.equal(Buffer.from(one.subarray(0, 5)).toString(), "%PDF-");
    assert.deepEqual(two, one);
  });
});

function hasUnzip(): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "unzip")));
}

test("withheld fields are proved to exist, not shown anywhere, and counted", async () => {
  const withheld = new Map([["network", "not asked for by the order"]]);
  const { bytes: without } = await scene.export({ withheld });
  const { verdict, proved } = await verifyBundle(memorySource(without), {
    policy: Buffer.from(scene.policy),
  });
  assert.equal(verdict, "verified");
  assert.equal(proved?.fieldsWithheld, proved?.exchanges);
  const { files } = await openBundle(without);
  for (const [path, content] of files) assert.ok(!text(content).includes("203.0.113."), path);
});

test("a period leaves exchanges out and says so", async () => {
  const untilMs = Date.UTC(2026, 9, 9);
  const { bytes: part } = await scene.export({ untilMs, recordsOnly: true });
  const { verdict, proved, reasons } = await verifyBundle(memorySource(part), {
    policy: Buffer.from(scene.policy),
  });
  assert.deepEqual(reasons, []);
  assert.equal(verdict, "verified");
  const fleet = new Set(scene.scene.fleet);
  const expected = scene.scene.exchanges.filter((one) => fleet.has(one.account) && one.openedAtMs < untilMs);
  assert.ok(expected.length > 0 && expected.length < scene.scene.exchanges.length);
  assert.equal(proved?.exchanges, expected.length);
  const { files } = await openBundle(part);
  const { leftOut } = JSON.parse(text(files.get("data/completeness.json"))) as {
    leftOut: { records: number }[];
  };
  assert.ok((leftOut[0]?.records ?? 0) > 0);
});

test("a bundle encrypted to a recipient opens with the recipient's key, and a wrong recipient is refused", async () => {
  const identity = await generateIdentity();
  const recipients = [await identityToRecipient(identity)];
  const { bytes: sealed } = await scene.export({ recipients, recordsOnly: true });
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const clear = await decrypter.decrypt(new Uint8Array(sealed));
  assert.equal((await verifyBundle(memorySource(clear), { policy: null })).verdict, "consistent");
  await assert.rejects(scene.export({ recipients: ["age1nonsense"] }), { code: "evidence.recipient" });
});

test("while a bundle is made nothing of it has a name: a process that is killed leaves no content in clear", async () => {
  const folder = mkdtempSync(join(scene.folder, "out-"));
  const seen: string[][] = [];
  const seal = async (): Promise<void> => {
    seen.push(readdirSync(folder));
    await scene.seal();
  };
  await scene.export({ out: join(folder, "bundle.zip"), seal });
  assert.ok(seen.length > 1, "what is staged waits for the export's own record");
  assert.deepEqual(seen.flat(), []);
  assert.deepEqual(readdirSync(folder), ["bundle.zip"]);
});

test("nothing is overwritten, and nothing is left behind", async () => {
  const out = join(scene.folder, "once.zip");
  await scene.export({ out, recordsOnly: true });
  await assert.rejects(scene.export({ out, recordsOnly: true }), { code: "evidence.output" });
  assert.deepEqual(
    readdirSync(scene.folder).filter((name) => name.startsWith(".adyton-bundle-")),
    [],
  );
});
