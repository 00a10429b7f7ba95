// Completes package-lock.json with optional packages for other platforms: npm leaves out those it could not fetch here,
// and `npm ci` then refuses the whole lock. Run it after every `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

interface LockedPackage {
  version?: string;
  optional?: boolean;
  dev?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8")) as { packages: Record<string, LockedPackage> };

/** What a platform package is for, read from its name: `@scope/tool-linux-arm64-musl`. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> | null {
  const parts = (name.split("/").at(-1) ?? "").split(/[-.]/);
  const os = parts.find((part) =>
    /^(linux|darwin|win32|android|freebsd|openharmony|sunos|aix|netbsd|openbsd)$/.test(part),
  );
  const cpu = parts.find((part) =>
    /^(x64|arm64|arm|ia32|ppc64|s390x|riscv64|loong64|wasm32|mips64el)$/.test(part),
  );
  if (cpu === "wasm32" || parts.includes("wasm32")) return { cpu: ["wasm32"] };
  if (os === undefined || cpu === undefined) return null;
  const libc = parts.some((part) => part.startsWith("musl"))
    ? ["musl"]
    : parts.some((part) => /^(gnu|gnueabihf|glibc)$/.test(part))
      ? ["glibc"]
      : null;
  return { os: [os], cpu: [cpu], ...(libc === null ? {} : { libc }) };
}

let added = 0;
for (const { optionalDependencies = {}, dev } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const place = `node_modules/${name}`;
    const platform = platformOf(name);
    if (lock.packages[place] !== undefined || platform === null) continue;
    lock.packages[place] = {
      version: version.replace(/^[\^~]/, ""),
      ...(dev ? { dev } : {}),
      optional: true,
      ...platform,
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`Added ${added} optional packages of other platforms.`);
