// docs/errors.md: every error code and what to do, read from the code lists of the folders.
import { existsSync, readdirSync } from "node:fs";
import { z } from "zod";
import { table } from "./markdown.ts";

const codesShape = z.record(z.string(), z.string());

const OPENING = `# Error codes

*This page is made from \`src/*/errors.ts\` by \`node scripts/generate-docs.ts\`; a test fails when it is out of date.*

Every error that Adyton raises on purpose has a code that stays the same between versions: scripts and alerts should look
at the code, never at the sentence. On the command line it stands after \`adyton:\`, over HTTP in \`error.code\`.
`;

/** @throws Error when a folder's code list is not a list of sentences, or two folders share a code */
export async function errorsPage(root: URL): Promise<string> {
  const source = new URL("src/", root);
  const folders = readdirSync(source).filter((folder) => existsSync(new URL(`${folder}/errors.ts`, source)));
  const sections: string[] = [];
  const owner = new Map<string, string>();
  for (const folder of folders.sort()) {
    const exported: Record<string, unknown> = await import(new URL(`${folder}/errors.ts`, source).href);
    for (const [name, list] of Object.entries(exported)) {
      if (!name.endsWith("_ERROR_CODES")) continue;
      const codes = Object.entries(codesShape.parse(list)).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [code] of codes) {
        const other = owner.get(code);
        if (other !== undefined)
          throw new Error(`expected the code ${code} once, got it in ${other} and ${folder}`);
        owner.set(code, folder);
      }
      const rows = codes.map(([code, meaning]) => [`\`${code}\``, meaning]);
      sections.push(`## ${folder}\n\n${table(["code", "meaning, and what to do"], rows)}\n`);
    }
  }
  return [OPENING, ...sections].join("\n");
}
