// Holds the page about evidence to the code: every reason of the verifier stands there with its meaning.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PATHS } from "../../src/evidence/verify/layout.ts";
import { BUNDLE_FAULTS } from "../../src/evidence/verify/verdict.ts";

const page = readFileSync(new URL("../../docs/evidence.md", import.meta.url), "utf8");

test("every reason is on the page with its meaning, and no other", () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  assert.deepEqual(Object.fromEntries(rows), BUNDLE_FAULTS);
});

test("every file that is checked is on the page", () => {
  for (const path of Object.values(PATHS)) {
    const [name = ""] = path.split("/").slice(-1);
    assert.ok(page.includes(name) || page.includes(`.${name.split(".").at(-1)}`), path);
  }
});
