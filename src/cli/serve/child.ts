// Where every child process of `adyton serve` begins: reads who it is, loads only its own part, obeys the supervisor.
import { pino } from "pino";
import type { Config } from "../../config/schema.ts";
import {
  CONFIG_VARIABLE,
  type Counters,
  type FromChild,
  NAME_VARIABLE,
  ROLE_VARIABLE,
  type Role,
  type ToChild,
} from "./messages.ts";
import type { Part, PartContext } from "./part.ts";

const COUNTERS_EVERY_MS = 1_000;

/** Loaded on demand, so that a gateway worker never loads the analytical engine. */
const PARTS: Readonly<Record<Role, () => Promise<{ start: (context: PartContext) => Promise<Part> }>>> = {
  gateway: () => import("./gateway-part.ts"),
  ledger: () => import("./ledger-part.ts"),
  analyst: () => import("./analyst-part.ts"),
  sample: () => import("./sample-part.ts"),
};

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message, () => {}); // a parent that died is seen by `disconnect`
}

async function run(): Promise<void> {
  const role = process.env[ROLE_VARIABLE] as Role; // set by our own supervisor
  const name = process.env[NAME_VARIABLE] ?? role;
  const config = JSON.parse(process.env[CONFIG_VARIABLE] ?? "null") as Config; // checked by our own supervisor
  const log = pino(
    { level: config.diagnostics.level, base: { part: name } },
    pino.destination({ fd: 2, sync: true }),
  );

  // Ctrl-C reaches the whole process group; only the supervisor decides the order in which parts stop.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  let part: Part | null = null;
  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    await part?.close();
    process.exit(0);
  };
  const fail = (error: unknown): never => {
    log.fatal({ err: error }, "process ends because of an error");
    process.exit(1);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  process.on("disconnect", () => void stop());
  process.on("message", (message) => {
    const heard = message as ToChild; // only our own supervisor writes here
    if (heard.type === "stop") void stop();
    else part?.hear?.(heard);
  });

  const { start } = await PARTS[role]();
  part = await start({ name, config, log, fail });
  if (isStopping) await part.close();
  const counters = (): Counters => part?.counters?.() ?? {};
  setInterval(() => tell({ type: "counters", counters: counters() }), COUNTERS_EVERY_MS).unref();
  tell({ type: "ready", detail: part.detail });
}

await run();
