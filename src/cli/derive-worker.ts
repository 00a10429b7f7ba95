// A thread that derives stretches of the sealed log: it opens keys and log for itself and hands back bytes, not objects.
import { parentPort, workerData } from "node:worker_threads";
import { AdytonError } from "../core/errors.ts";
import { Keyring } from "../log/keyring.ts";
import { SealedLog } from "../log/sealed-log.ts";
import { Derivation, type Derived } from "./derive.ts";
import type { DeriveFailure, DeriveReply, DeriveRequest, DeriveWorkerData } from "./derive-protocol.ts";
import { featuresOf, openModel } from "./features.ts";

const port = parentPort;
if (port === null) throw new TypeError("expected to run as a thread, got a process");
const { folder, origin, embeddingModel } = workerData as DeriveWorkerData; // given by DerivationPool, in this process
let failures: DeriveFailure[] = [];
let derivation: Derivation | null = null;

async function open(): Promise<Derivation> {
  const keys = await Keyring.open({ folder });
  const log = await SealedLog.open({ folder, keys, origin });
  const onFailure = (index: number, error: unknown): void => {
    failures.push({ index, reason: String(error) });
  };
  return new Derivation(log, featuresOf(keys, await openModel(embeddingModel, keys)), { onFailure });
}

async function answer({ from, to }: DeriveRequest): Promise<DeriveReply> {
  failures = [];
  try {
    derivation ??= await open();
    return { derived: await derivation.derive(from, to), failures };
  } catch (error) {
    const code = error instanceof AdytonError ? error.code : null;
    return { error: { code, message: error instanceof Error ? error.message : String(error) } };
  }
}

function memoryOf({ lines }: Derived): ArrayBuffer[] {
  return Object.values(lines).flatMap((list) => list.map(({ bytes }) => bytes.buffer));
}

port.on("message", (request: DeriveRequest) => {
  answer(request).then((reply) => port.postMessage(reply, "derived" in reply ? memoryOf(reply.derived) : []));
});
