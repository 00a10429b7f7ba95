import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MAY_IMPORT, type SourceFile, violationsIn } from "./rules.ts";

const root = new URL("../../", import.meta.url);

function trackedFiles(): SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  return listed
    .split("\n")
    .filter((path) => /^(src|console|bench|scripts|test|bin)\/.*\.(ts|tsx|mjs)$|\.md$/.test(path))
    .flatMap((path) => {
      try {
        return [{ path, text: readFileSync(new URL(path, root), "utf8") }];
      } catch {
        return []; // deleted in the work tree, still in the index
      }
    });
}

test("the repository is tidy", () => {
  const files = trackedFiles();
  assert.ok(files.length > 10, `expected the repository's files, got ${files.length}`);
  const found = violationsIn(files).map((v) => `${v.rule}: ${v.path}: ${v.message}`);
  assert.deepEqual(found, []);
});

test("every folder of src has a line in the table of import directions", () => {
  const folders = new Set(trackedFiles().flatMap((file) => /^src\/([^/]+)\//.exec(file.path)?.[1] ?? []));
  const unknown = [...folders].filter(
    (folder) => !(folder in MAY_IMPORT) && folder !== "api" && folder !== "cli",
  );
  assert.deepEqual(unknown, []);
});

const why = "// Why this file exists.\n";
const planted: readonly { readonly rule: string; readonly files: readonly SourceFile[] }[] = [
  {
    rule: "import-direction",
    files: [{ path: "src/gateway/a.ts", text: `${why}import { q } from "../store/b.ts";\nq();\n` }],
  },
  {
    rule: "import-direction",
    files: [
      {
        path: "src/gateway/a.ts",
        text: `${why}import type { Q } from "../detect/b.ts";\nexport const q: Q = 1;\n`,
      },
    ],
  },
  {
    rule: "import-direction",
    files: [{ path: "src/store/a.ts", text: `${why}export const load = () => import("../log/b.ts");\n` }],
  },
  {
    rule: "import-direction",
    files: [{ path: "src/core/a.ts", text: `${why}import { z } from "zod";\nz();\n` }],
  },
  {
    rule: "import-direction",
    files: [
      { path: "src/core/a.ts", text: `${why}import { readFileSync } from "node:fs";\nreadFileSync("x");\n` },
    ],
  },
  {
    rule: "import-direction",
    files: [{ path: "src/evidence/verify/a.ts", text: `${why}import { z } from "zod";\nz();\n` }],
  },
  {
    rule: "import-direction",
    files: [{ path: "console/src/a.tsx", text: `${why}import { q } from "../../src/state/b.ts";\nq();\n` }],
  },
  {
    rule: "import-cycle",
    files: [
      { path: "src/log/a.ts", text: `${why}import { b } from "./b.ts";\nexport const a = () => b;\n` },
      { path: "src/log/b.ts", text: `${why}import { a } from "./a.ts";\nexport const b = () => a;\n` },
    ],
  },
  {
    rule: "core-purity",
    files: [{ path: "src/core/a.ts", text: `${why}export const now = () => Date.now();\n` }],
  },
  { rule: "no-barrels", files: [{ path: "src/log/index.ts", text: `${why}export { a } from "./a.ts";\n` }] },
  { rule: "file-length", files: [{ path: "src/log/a.ts", text: why + "call();\n".repeat(400) }] },
  {
    rule: "function-length",
    files: [{ path: "src/log/a.ts", text: `${why}export function f(): void {\n${"  g();\n".repeat(70)}}\n` }],
  },
  { rule: "opening", files: [{ path: "src/log/a.ts", text: "export const a = 1;\n" }] },
  { rule: "leftover", files: [{ path: "src/log/a.ts", text: `${why}// TODO later\n` }] },
  { rule: "one-title", files: [{ path: "docs/a.md", text: "# One\n\n# Two\n" }] },
];

for (const { rule, files } of planted) {
  test(`a planted violation is seen: ${rule} in ${files[0]?.path}`, () => {
    assert.deepEqual([...new Set(violationsIn(files).map((v) => v.rule))], [rule]);
  });
}
