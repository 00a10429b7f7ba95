// The house rules that a machine can hold: import directions, purity of core, sizes, leftovers, titles.
import { stripTypeScriptTypes } from "node:module";
import { posix } from "node:path";
import { type AnyNode, parse } from "acorn";
import { full } from "acorn-walk";

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly message: string;
}

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 70;

/** Which folders of src/ each folder may import besides itself. The table of the design, as data. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sample: ["core"],
  config: ["core"],
  log: ["core", "config"],
  state: ["core", "config"],
  store: ["core", "config"],
  gateway: ["core", "config", "log", "state"],
  detect: ["core", "config", "store", "state"],
  respond: ["core", "config", "state", "log"],
  evidence: ["core", "config", "log", "state", "store"],
  share: ["core", "config", "log", "state", "store"],
  watermark: ["core", "config", "log", "state", "store"],
  provenance: ["core", "config", "log", "state", "store"],
  drill: ["core", "config", "log", "state", "store"],
  supply: ["core", "config", "log", "state", "store"],
  attest: ["core", "config", "log", "state", "store"],
};
/** These put the parts together and may import every folder above. */
const ASSEMBLERS: readonly string[] = ["api", "cli"];

/** What core may take from the platform: pure computation only. */
const CORE_BUILTINS: ReadonlySet<string> = new Set(["node:crypto", "node:buffer", "node:zlib"]);
const CORE_FORBIDDEN: readonly RegExp[] = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /\bperformance\.now\b/,
  /\bMath\.random\b/,
  /\bprocess\./,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\brandom(Bytes|UUID|FillSync|Fill|Int)\b/,
];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** Every module specifier a file names: static, type-only, re-exported and dynamic. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

/** All violations in the given files. Empty means tidy. */
export function violationsIn(files: readonly SourceFile[]): Violation[] {
  const code = files.filter((file) => /\.(ts|tsx|mjs)$/.test(file.path));
  return [
    ...code.flatMap(importDirections),
    ...importCycles(code.filter((file) => file.path.startsWith("src/"))),
    ...code.flatMap(corePurity),
    ...code.flatMap(barrels),
    ...code.flatMap(sizes),
    ...code.flatMap(openings),
    ...code.flatMap(leftovers),
    ...files.filter((file) => file.path.endsWith(".md")).flatMap(titles),
  ];
}

function folderOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

function importDirections(file: SourceFile): Violation[] {
  const violation = (message: string): Violation => ({ rule: "import-direction", path: file.path, message });
  const from = folderOf(file.path);
  return importsOf(file.text).flatMap((specifier) => {
    if (!specifier.startsWith(".")) {
      if (from !== "core" && !/^src\/evidence\/verify\//.test(file.path)) return [];
      const pure = from === "core" ? CORE_BUILTINS.has(specifier) : specifier.startsWith("node:");
      return pure ? [] : [violation(`imports ${specifier}, which is outside what it may use`)];
    }
    const target = posix.join(posix.dirname(file.path), specifier);
    if (file.path.startsWith("console/")) {
      const own = target.startsWith("console/") || target.startsWith("src/api/contract/");
      return own ? [] : [violation(`the console imports ${target}; it may only import src/api/contract/`)];
    }
    if (from === null) return [];
    const to = folderOf(target);
    if (to === from || (to !== null && mayImport(from, to))) return [];
    return [violation(`src/${from} must not import ${target}`)];
  });
}

function mayImport(from: string, to: string): boolean {
  if (from === "cli") return true;
  if (from === "api") return to !== "cli";
  if (ASSEMBLERS.includes(to)) return false;
  return MAY_IMPORT[from]?.includes(to) ?? false;
}

function importCycles(files: readonly SourceFile[]): Violation[] {
  const graph = new Map<string, string[]>();
  for (const file of files) {
    const targets = importsOf(file.text).filter((specifier) => specifier.startsWith("."));
    graph.set(
      file.path,
      targets.map((specifier) => posix.join(posix.dirname(file.path), specifier)),
    );
  }
  const done = new Set<string>();
  const found: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const message = [...trail.slice(start), path].join(" -> ");
      found.push({ rule: "import-cycle", path, message });
      return;
    }
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

function corePurity(file: SourceFile): Violation[] {
  if (folderOf(file.path) !== "core") return [];
  const text = withoutComments(file.text);
  return CORE_FORBIDDEN.flatMap((pattern) => {
    const match = pattern.exec(text);
    if (match === null) return [];
    return [{ rule: "core-purity", path: file.path, message: `core uses ${match[0]}; pass it in` }];
  });
}

function barrels(file: SourceFile): Violation[] {
  const body = withoutComments(file.text)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const only = body.length > 0 && body.every((line) => /^export\s.*from\s+["']/.test(line));
  return only
    ? [{ rule: "no-barrels", path: file.path, message: "only re-exports; import from the source" }]
    : [];
}

function sizes(file: SourceFile): Violation[] {
  const lines = file.text.split("\n").length - 1;
  const found: Violation[] = [];
  if (lines > MAX_FILE_LINES) {
    found.push({
      rule: "file-length",
      path: file.path,
      message: `${lines} lines, at most ${MAX_FILE_LINES}`,
    });
  }
  if (file.path.endsWith(".ts")) found.push(...longFunctions(file));
  return found;
}

function longFunctions(file: SourceFile): Violation[] {
  const found: Violation[] = [];
  // Stripping replaces types by spaces, so lines stay where they are.
  const program = parse(stripTypeScriptTypes(file.text), {
    ecmaVersion: "latest",
    sourceType: "module",
    locations: true,
    allowHashBang: true,
  });
  full(program, (node: AnyNode) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
    const lines = (node.loc?.end.line ?? 0) - (node.loc?.start.line ?? 0) + 1;
    if (lines <= MAX_FUNCTION_LINES || isTestSuite(file)) return;
    const message = `a function of ${lines} lines at line ${node.loc?.start.line}, at most ${MAX_FUNCTION_LINES}`;
    found.push({ rule: "function-length", path: file.path, message });
  });
  return found;
}

/** A test file's `describe` and scenario bodies read top to bottom; the file limit is enough there. */
function isTestSuite(file: SourceFile): boolean {
  return /^test\/.*\.test\.ts$/.test(file.path);
}

function openings(file: SourceFile): Violation[] {
  if (!/^(src|console\/src|bench|scripts)\//.test(file.path)) return [];
  const first = file.text.replace(/^#!.*\n/, "").trimStart();
  const says = first.startsWith("//") || first.startsWith("/*");
  return says
    ? []
    : [{ rule: "opening", path: file.path, message: "open with one sentence: why this file exists" }];
}

function leftovers(file: SourceFile): Violation[] {
  if (file.path.startsWith("test/tidy/")) return [];
  return file.text.split("\n").flatMap((line, index) => {
    const match = /\b(TODO|FIXME|XXX)\b|\b(?:test|it|describe)\.(only|skip|todo)\(/.exec(line);
    if (match === null) return [];
    return [{ rule: "leftover", path: file.path, message: `${match[0]} at line ${index + 1}` }];
  });
}

function titles(file: SourceFile): Violation[] {
  const prose = file.text.replace(/^```[\s\S]*?^```/gm, "");
  const count = prose.split("\n").filter((line) => line.startsWith("# ")).length;
  return count === 1 ? [] : [{ rule: "one-title", path: file.path, message: `${count} titles, expected 1` }];
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}
