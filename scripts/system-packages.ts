// Sees to the programs that the tests need beyond npm, from Debian's packages: installs them where it may, else says how.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";

interface SystemPackage {
  readonly debian: string;
  readonly command: string;
  readonly why: string;
}

const NEEDED: readonly SystemPackage[] = [
  { debian: "chromium", command: "chromium", why: "the console's tests drive a real browser" },
];

/** Exits with a clear line when something is missing and can't be installed here. */
export function ensureSystemPackages(): void {
  const missing = NEEDED.filter((item) => !onPath(item.command));
  if (missing.length === 0) return;
  const names = missing.map((item) => item.debian).join(" ");
  const root = process.getuid?.() === 0;
  if (root && onPath("apt-get")) {
    console.log(`── installing ${names} (${missing.map((item) => item.why).join("; ")})`);
    const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
    spawnSync("apt-get", ["update", "-q"], options);
    spawnSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...names.split(" ")], options);
  }
  const still = missing.filter((item) => !onPath(item.command));
  if (still.length === 0) return;
  for (const item of still) console.error(`expected the program ${item.command} on the PATH: ${item.why}`);
  console.error(`install it with: sudo apt-get install -y --no-install-recommends ${names}`);
  process.exit(1);
}

function onPath(command: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => existsSync(`${folder}/${command}`));
}
