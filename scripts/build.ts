// Makes dist/: the published package's JavaScript, the statements it reads, the console, and the verifier's page.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

for (const folder of globSync("dist/!(console)", { cwd: root })) rmSync(root + folder, { recursive: true });
run(`${root}node_modules/.bin/tsc`, ["-p", "tsconfig.build.json"]);
for (const path of globSync("src/**/*.sql", { cwd: root }))
  cpSync(root + path, root + path.replace(/^src/, "dist"));
run(process.execPath, ["scripts/build-console.ts", "--if-stale"]);
run(process.execPath, ["scripts/build-verifier.ts"]);
