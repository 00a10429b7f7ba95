// One gateway worker as `adyton serve` runs it: key directory, durable and encrypted log, limits, verdicts enforced.
import { pino } from "pino";
import { openEnforcement } from "../../src/cli/serve/enforcement.ts";
import { gatewaySection } from "../../src/config/gateway-section.ts";
import { respondSection } from "../../src/config/respond-section.ts";
import { readSecret } from "../../src/config/secret.ts";
import { startWorker } from "../../src/gateway/worker.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";

const [upstreamPort = "", folder = ""] = process.argv.slice(2);
const account = "acct_bench";
const state = await State.open({ folder });
const unknown = {
  created: null,
  plan: null,
  payment: null,
  emailDomain: null,
  country: null,
  organization: null,
};
await state.accounts.ensure({ account, ...unknown, declaredUse: null });
const { secret } = await state.keys.create({ account, label: "bench" });
const directory = await KeyDirectory.open(state);
const keys = await Keyring.open({ folder });
const writer = await LogWriter.open({ folder, writer: "gateway-0", keys });
const log = pino({ level: "warn" }, pino.destination(2));
const respond = respondSection.parse({ mode: "enforce" });
const enforcement = await openEnforcement({ config: respond, state, directory, writer, log });
const worker = await startWorker({
  config: gatewaySection.parse({
    listen: { port: 0 },
    upstreams: [
      { name: "bench", family: "any", url: `http://127.0.0.1:${upstreamPort}`, key: { env: "BENCH_KEY" } },
    ],
  }),
  writer,
  directory,
  log,
  measures: enforcement.measures,
  appeals: enforcement.appeals,
  readSecret: (reference) => readSecret(reference, { env: { BENCH_KEY: "sk-bench" } }),
  accountOfUpstreamKey: (key) => keys.pseudonymOf(key),
});
console.log(JSON.stringify({ port: worker.port, secret }));
process.once("SIGTERM", async () => {
  await worker.close();
  enforcement.close();
  await writer.close();
  directory.close();
  await state.close();
  keys.close();
  process.exit(0);
});
