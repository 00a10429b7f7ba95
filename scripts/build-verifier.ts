// Builds the page that verifies bundles in a browser: one HTML file that loads nothing, by default dist/verify.html.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const platform = (name: string): string => `${root}verifier/platform/${name}.ts`;
const PLATFORM: readonly { find: string | RegExp; replacement: string }[] = [
  ...["buffer", "crypto", "zlib"].map((name) => ({ find: `node:${name}`, replacement: platform(name) })),
  { find: /^\.{1,2}\/(?:.*\/)?sha256\.ts$/, replacement: platform("sha256") },
];

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64");

/** The page's text: script and styles are inside, and nothing but these may run (Content-Security-Policy by digest). */
export async function verifierPage(): Promise<string> {
  const output = await build({
    root: `${root}verifier`,
    configFile: false,
    logLevel: "warn",
    resolve: { alias: [...PLATFORM] },
    build: {
      write: false,
      target: "es2023",
      lib: { entry: `${root}verifier/page.ts`, formats: ["es"], fileName: "page" },
    },
  });
  const [bundle] = Array.isArray(output) ? output : [output];
  const chunk = bundle !== undefined && "output" in bundle ? bundle.output[0] : undefined;
  if (chunk?.type !== "chunk" || chunk.imports.length > 0)
    throw new Error("expected one script that imports nothing");
  // The script stands inside HTML: the one sequence that would end it there is written differently.
  const script = `\n${chunk.code.replaceAll("</script", "<\\/script")}`;
  const style = `\n${readFileSync(`${root}verifier/page.css`, "utf8")}`;
  // Functions, so that a dollar sign in the script means itself.
  return readFileSync(`${root}verifier/page.html`, "utf8")
    .replace("SCRIPT-DIGEST", () => digestOf(script))
    .replace("STYLE-DIGEST", () => digestOf(style))
    .replace("/* STYLE-TEXT */", () => style)
    .replace("/* SCRIPT-TEXT */", () => script);
}

if (import.meta.main) {
  const path = process.argv[2] ?? `${root}dist/verify.html`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await verifierPage());
  console.log(`The verifier is built: ${path}`);
}
