// Measures the log: how soon a record is durable and under a signed checkpoint, sealing, checking, and a whole import.
import { parseArgs } from "node:util";
import { measureImport } from "./log/import.ts";
import { measureLatency } from "./log/latency.ts";
import { judge, type LogFigures, printFigures, stageLine } from "./log/report.ts";
import { measureSealing } from "./log/sealing.ts";

/**
 * Runs the benchmark and prints its table; exit code 1 when a figure that the project promises is missed. `--only`:
 * latency, sealing or import; `--records 10000000` takes some 20 GB below the folder for temporary files, and an hour.
 */
export async function run(options: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      seconds: { type: "string", default: "10" },
      records: { type: "string", default: "1000000" },
      exchanges: { type: "string", default: "100000" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const say = (line: string): void => console.error(line);
  const wants = (part: string): boolean => values.only === undefined || values.only === part;
  const figures: LogFigures = { latency: null, sealing: [], imported: null };
  if (wants("latency")) {
    say(`append at 2,000 records/s for ${values.seconds} s`);
    figures.latency = await measureLatency(Number(values.seconds));
  }
  if (wants("sealing")) {
    say(`seal and check up to ${values.records} records`);
    figures.sealing = await measureSealing(Number(values.records), (stage) => say(stageLine(stage)));
  }
  if (wants("import")) {
    say(`import ${values.exchanges} exchanges`);
    figures.imported = measureImport(Number(values.exchanges));
  }
  const verdicts = judge(figures);
  if (values.json) console.log(JSON.stringify({ ...figures, verdicts }, null, 2));
  else printFigures(figures, verdicts);
  if (verdicts.some(({ met }) => !met)) process.exitCode = 1;
}
