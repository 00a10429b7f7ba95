// Fuzzes what reads hostile bytes in evidence, guided by coverage: seconds in the suite, as long as wanted on demand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8, utf8Text } from "../../src/core/bytes.ts";
import { parsePolicy } from "../../src/core/policy.ts";
import { parseProof } from "../../src/core/proof.ts";
import { checkBag } from "../../src/evidence/verify/bag.ts";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { openFields, parseRecord } from "../../src/evidence/verify/disclosed-record.ts";
import { parseCompleteness, parseHeader } from "../../src/evidence/verify/documents.ts";
import { PATHS } from "../../src/evidence/verify/layout.ts";
import { CaseStatistics } from "../../src/evidence/verify/statistics.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { type FuzzOptions, fuzz } from "../helpers/coverage-fuzz.ts";
import { forged, openBundle } from "./forger.ts";
import { caseScene, shortKeys } from "./scene.ts";

/** `ADYTON_FUZZ_SECONDS=3600` fuzzes for an hour, shared by the targets. */
const SECONDS = Number(process.env["ADYTON_FUZZ_SECONDS"] ?? 10);

const scene = await caseScene({ days: 1, perDay: 1, store: shortKeys(), about: "one-exchange" });
const bundle = (await scene.export({ recordsOnly: true })).bytes;
await scene.end();
const opened = await openBundle(bundle);
const { files } = opened;
const policy = utf8(scene.policy);
const seedsOf = (start: string): Uint8Array[] =>
  [...files].filter(([path]) => path.startsWith(start)).map(([, content]) => content);

const TARGETS: Readonly<Record<string, Pick<FuzzOptions, "seeds" | "run">>> = {
  "a whole bundle": {
    seeds: [bundle],
    run: async (input) => {
      const { verdict } = await verifyBundle(memorySource(input), { policy });
      if (!bundle.equals(input)) assert.equal(verdict, "rejected");
    },
  },
  "a record whose checksums a forger fitted": {
    seeds: seedsOf("data/records/"),
    run: async (input) => {
      const record = parseRecord(input);
      if (record === null) return;
      openFields(record);
      new CaseStatistics().add(record);
      const path = [...files.keys()].find((name) => name.startsWith("data/records/")) ?? "";
      if (Buffer.compare(files.get(path) ?? new Uint8Array(), input) === 0) return;
      const changed = forged(opened, (all) => all.set(path, Uint8Array.from(input)));
      assert.equal((await verifyBundle(memorySource(changed), { policy })).verdict, "rejected");
    },
  },
  "proofs, policies and documents": {
    seeds: [
      ...seedsOf("data/proofs/"),
      ...seedsOf(PATHS.policy),
      ...seedsOf("data/case"),
      ...seedsOf("data/comp"),
    ],
    run: (input) => {
      parsePolicy(input);
      parseHeader(input);
      parseCompleteness(input);
      const text = utf8Text(input);
      if (text !== null) parseProof(text);
    },
  },
  "a bag's tag files": {
    seeds: [
      ...seedsOf("bagit"),
      ...seedsOf("manifest"),
      utf8("http://x/ - data/a\n"),
      utf8("00 *./data/a\n"),
    ],
    run: async (input) => {
      const bag = (path: string): Uint8Array => {
        if (path.startsWith("manifest") || path.startsWith("fetch")) return input;
        return files.get(path) ?? new Uint8Array();
      };
      const paths = ["bagit.txt", "manifest-sha256.txt", "fetch.txt", "data/a"];
      await checkBag({ paths, read: async (path) => bag(path) });
      await checkBag({ paths, read: async (path) => (path === "bagit.txt" ? input : bag(path)) });
    },
  },
};

for (const [name, target] of Object.entries(TARGETS))
  test(`nothing makes ${name} throw or pass`, async (t) => {
    const budgetMs = (SECONDS * 1000) / Object.keys(TARGETS).length;
    const report = await fuzz({ ...target, files: /src\/(evidence\/verify|core)\//, budgetMs, seed: 7 });
    const { failure } = report;
    t.diagnostic(`${name}: ${report.runs} inputs, ${report.blocks} blocks, corpus of ${report.corpus}`);
    assert.equal(
      failure,
      null,
      failure === null
        ? ""
        : `${Buffer.from(failure.input).toString("base64").slice(0, 4000)}: ${failure.error}`,
    );
    assert.ok(report.runs > 0 && report.blocks > 0);
  });
