// Measures the log: how soon a record is durable and under a signed checkpoint, sealing, checking, and a whole import.
import { parseArgs } from "node:util";
import { measureImport } from "./log/import.ts";
import { measureLatency } from "./log/latency.ts";
import { judge, type LogFigures, printFigures } from "./log/report.ts";
import { measureSealing } from "./log/sealing.ts";

/** Runs the benchmark and prints its table; exit code 1 when a figure that the project promises is missed. */
export async function run(options: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      seconds: { type: "string", default: "10" },
      records: { type: "string", default: "100000" },
      exchanges: { type: "string", default: "20000" },
      json: { type: "boolean", default: false },
    },
  });
  const say = (line: string): void => console.error(line);
  say(`append at 2,000 records/s for ${values.seconds} s`);
  const latency = await measureLatency(Number(values.seconds));
  say(`seal and check up to ${values.records} records`);
  const sealing = await measureSealing(Number(values.records));
  say(`import ${values.exchanges} exchanges`);
  const imported = await measureImport(Number(values.exchanges));
  const figures: LogFigures = { latency, sealing, imported };
  const verdicts = judge(figures);
  if (values.json) console.log(JSON.stringify({ ...figures, verdicts }, null, 2));
  else printFigures(figures, verdicts);
  if (verdicts.some(({ met }) => !met)) process.exitCode = 1;
}
