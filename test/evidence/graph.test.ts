// The case's graph under CASE/UCO's own check (case_validate, of the Python package case-utils), and its identifiers.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { caseGraph } from "../../src/evidence/case-graph.ts";

const VALIDATOR = process.env["ADYTON_CASE_VALIDATE"] ?? "case_validate";

function whySkip(): string | false {
  const found = spawnSync(VALIDATOR, ["--help"], { stdio: "ignore" }).status === 0;
  return found ? false : "case_validate is not on the PATH (pip install case-utils)";
}

function graph(): string {
  const custody = (number: number, what: "opened" | "note", by: string) =>
    ({
      ...{ case: "case_1", number, what, by, on: "case_1", tool: "adyton 0.0.0-test" },
      ...{
        authority: "terms, section 4",
        result: "<b>done</b>",
        index: number,
        time: "2026-10-10T00:00:00.000Z",
      },
    }) as const;
  return caseGraph({
    header: {
      ...{ case: "case_1", title: "A fleet", purpose: "find out", authority: "terms, section 4" },
      ...{ custodian: "Ada", jurisdiction: "CH", tlp: "AMBER", origin: "adyton.local/test" },
      ...{ format: "adyton-bundle/1", exported: "2026-10-11T00:00:00.000Z", software: "adyton 0.0.0-test" },
    },
    custody: [custody(1, "opened", "cli:ada"), custody(2, "note", "user:bob")],
    accounts: [{ account: 'acme "corp" é', pseudonym: "p_AAAAAAAAAAAAAAAAAAAAAA" }],
    records: [{ path: "data/records/0000000007.json", bytes: 42, crc: 1, sha256: "ab".repeat(32) }],
  });
}

test("things have one identifier in every export, of the form that CASE/UCO asks for", () => {
  const { "@graph": nodes } = JSON.parse(graph()) as { "@graph": { "@id": string }[] };
  assert.equal(graph(), graph());
  const ids = nodes.map((node) => node["@id"]);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids)
    assert.match(id, /^kb:[a-z-]+-[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("CASE/UCO's ontology and shapes accept the graph, down to its suggestions", {
  skip: whySkip(),
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-graph-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "graph.jsonld");
  await writeFile(file, graph());
  const said = execFileSync(VALIDATOR, [file], { encoding: "utf8" });
  assert.match(said, /^Conforms: True$/m);
  await writeFile(file, graph().replace('"@type":"xsd:hexBinary"', '"@type":"xsd:string"'));
  assert.notEqual(spawnSync(VALIDATOR, [file]).status, 0, "the check can tell");
});
