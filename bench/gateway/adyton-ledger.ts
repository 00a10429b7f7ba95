// The ledger process beside the gateway: seals what the worker wrote, as in `adyton serve`.
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";

const [folder = ""] = process.argv.slice(2);
const keys = await Keyring.open({ folder });
const ledger = await Ledger.open({ folder, keys });
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
console.log(JSON.stringify({ port: 0 }));
await ledger.run(stop.signal);
await ledger.close();
keys.close();
