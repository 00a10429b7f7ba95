import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type BagFiles, checkBag } from "../../src/evidence/verify/bag.ts";
import { hasVectors, VECTORS } from "./vectors.ts";

/** A bag in a folder. */
function folderBag(folder: string): BagFiles {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  // The suite's Finder file is empty, and copies of the suite tend to lose it.
  const lost = folder.endsWith("special-system-files") && !paths.includes("data/.DS_Store");
  return {
    paths: lost ? [...paths, "data/.DS_Store"] : paths,
    read: async (path) =>
      lost && path === "data/.DS_Store" ? Buffer.alloc(0) : readFileSync(join(folder, path)),
  };
}

function bagsOf(version: string, kind: string): [name: string, folder: string][] {
  const folder = join(VECTORS, "bagit-conformance", version, kind);
  return readdirSync(folder).map((name) => [`${version}/${kind}/${name}`, join(folder, name)]);
}

test("the conformance suite's bags get the expected verdict", { skip: !hasVectors }, async (context) => {
  const kinds = [
    ["v0.97", "valid", true],
    ["v0.97", "warning", true],
    ["v1.0", "valid", true],
    ["v0.97", "invalid", false],
    ["v0.97", "linux-only", false],
    ["v0.97", "windows-only", false],
    ["v1.0", "invalid", false],
  ] as const;
  let count = 0;
  for (const [version, kind, isValid] of kinds)
    for (const [name, folder] of bagsOf(version, kind)) {
      count += 1;
      const report = await checkBag(folderBag(folder));
      await context.test(name, () => {
        assert.equal(report.faults.length === 0, isValid, JSON.stringify(report));
        if (kind === "warning") assert.notEqual(report.warnings.length, 0);
      });
    }
  assert.equal(count, 46);
});

const BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

function bagOf(files: Record<string, string>): BagFiles {
  return { paths: Object.keys(files), read: async (path) => Buffer.from(files[path] ?? "") };
}

test("a bag of nothing but a declaration has no manifest", async () => {
  const { faults } = await checkBag(bagOf({ "bagit.txt": BAGIT }));
  assert.deepEqual(faults, [{ code: "bag-no-manifest", path: "manifest-sha256.txt" }]);
});

test("a manifest of an algorithm that nobody checks vouches for nothing", async () => {
  const { faults } = await checkBag(
    bagOf({ "bagit.txt": BAGIT, "manifest-crc32.txt": "00 data/a\n", "data/a": "a" }),
  );
  assert.deepEqual(
    faults.map(({ code }) => code),
    ["bag-unknown-algorithm"],
  );
});
