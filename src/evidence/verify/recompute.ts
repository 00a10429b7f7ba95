// Runs the statistics of a bundle again from its own records: this file and the one it imports, as they lie in the bundle,
// and Node 22.18 or newer; nothing else.
import { readdirSync, readFileSync } from "node:fs";
import { CaseStatistics, type RecordFile } from "./statistics.ts";

const folder = new URL("../records/", import.meta.url);
const statistics = new CaseStatistics();
for (const name of readdirSync(folder).sort()) {
  // A bundle's record files were checked by the verifier; this script only counts.
  statistics.add(JSON.parse(readFileSync(new URL(name, folder), "utf8")) as RecordFile);
}
const stated: unknown = JSON.parse(readFileSync(new URL("statistics.json", import.meta.url), "utf8"));
const found = statistics.result();
console.log(JSON.stringify(found, null, 2));

/** Members in one order, so that two equal results have one spelling. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

const isSame = JSON.stringify(sorted(found)) === JSON.stringify(sorted(stated));
console.error(isSame ? "The records give the figures that the bundle states." : "THE FIGURES DIFFER.");
process.exitCode = isSame ? 0 : 1;
