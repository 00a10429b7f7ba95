// Sees to the programs that the tests need beyond npm, from Debian's packages: installs them where it may, else says how.
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter } from "node:path";

interface SystemPackage {
  readonly debian: string;
  readonly why: string;
  readonly isThere: () => boolean;
  /** Without it the tests fail; else those that want it are skipped and say so. */
  readonly isRequired: boolean;
}

const PACKAGES: readonly SystemPackage[] = [
  {
    debian: "chromium",
    why: "the console's tests drive a real browser",
    isThere: () => onPath("chromium"),
    isRequired: true,
  },
  {
    debian: "postgresql",
    why: "the state's tests run on PostgreSQL as well as on SQLite",
    isThere: () => globSync("/usr/lib/postgresql/*/bin/postgres").length > 0,
    isRequired: true,
  },
  {
    debian: "redis-server",
    why: "budgets and verdicts that several gateways share are tested on a real Redis",
    isThere: () => onPath("redis-server"),
    isRequired: true,
  },
  {
    debian: "golang-golang-x-mod-dev",
    why: "Go's own transparency log checks ours, where Go is installed",
    isThere: () => !onPath("go") || existsSync("/usr/share/gocode/src/golang.org/x/mod"),
    isRequired: false,
  },
  {
    debian: "openssl",
    why: "it is the timestamp authority that tests ask",
    isThere: () => onPath("openssl"),
    isRequired: false,
  },
  {
    debian: "unzip",
    why: "a stranger's tool opens our bundles",
    isThere: () => onPath("unzip"),
    isRequired: false,
  },
  {
    debian: "opensc",
    why: "its pkcs11-tool speaks to the token that holds keys",
    isThere: () => onPath("pkcs11-tool"),
    isRequired: false,
  },
  {
    debian: "softhsm2",
    why: "it is the token of the tests",
    isThere: () => onPath("softhsm2-util"),
    isRequired: false,
  },
  {
    debian: "strace",
    why: "it fails single system calls while the log is sealed",
    isThere: () => onPath("strace"),
    isRequired: false,
  },
];

/** Exits with a clear line when something required is missing and can't be installed here. */
export function ensureSystemPackages(): void {
  const missing = PACKAGES.filter((item) => !item.isThere());
  if (missing.length === 0) return;
  const names = missing.map((item) => item.debian);
  if (process.getuid?.() === 0 && onPath("apt-get")) {
    console.log(`── installing ${names.join(" ")} (${missing.map((item) => item.why).join("; ")})`);
    const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
    spawnSync("apt-get", ["update", "-q"], options);
    spawnSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...names], options);
  }
  const still = missing.filter((item) => !item.isThere());
  for (const item of still) console.error(`expected Debian's package ${item.debian}: ${item.why}`);
  if (still.length > 0) {
    console.error(`install with: sudo apt-get install -y --no-install-recommends ${names.join(" ")}`);
  }
  if (still.some((item) => item.isRequired)) process.exit(1);
}

function onPath(command: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => existsSync(`${folder}/${command}`));
}
