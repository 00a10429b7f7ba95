// What the subcommands of `adyton witness` do.
import { once } from "node:events";
import { pino } from "pino";
import { base64 } from "../../core/bytes.ts";
import {
  describeKey,
  ED25519_COSIGNATURE,
  formatVerifierKey,
  parseVerifierKey,
  type VerifierKey,
} from "../../core/verifier-key.ts";
import { Witness } from "../../log/witness.ts";
import { startWitnessServer, type WitnessServer } from "../../log/witness-server.ts";
import type { Context } from "../context.ts";
import { CliError, EXIT } from "../errors.ts";
import { readPolicy } from "../log/verify.ts";
import { timeText } from "../output.ts";

export interface ServeOptions {
  readonly log: readonly string[];
  readonly policy?: string;
}

async function logsOf({ config }: Context, options: ServeOptions): Promise<VerifierKey[]> {
  const listed = [...config.witness.logs, ...options.log].map((vkey) => {
    const key = parseVerifierKey(vkey);
    if (key === null || key.type === ED25519_COSIGNATURE)
      throw new CliError("usage", `expected a log's key like name+12345678+base64, got ${vkey}`);
    return key;
  });
  const policy = options.policy === undefined ? [] : (await readPolicy(options.policy)).logs;
  return [...listed, ...policy.map(({ key }) => key)];
}

async function openWitness(
  { config, folder }: Context,
  options: Partial<Parameters<typeof Witness.open>[0]> = {},
): Promise<Witness> {
  return await Witness.open({ folder: folder.witness, name: config.witness.name, logs: [], ...options });
}

/** Runs until SIGINT or SIGTERM, then answers what it has and stops. */
export async function serveWitness(context: Context, options: ServeOptions): Promise<void> {
  const { config, output } = context;
  const logs = await logsOf(context, options);
  if (logs.length === 0)
    throw new CliError(
      "usage",
      "expected a log to witness: --log, --policy or witness.logs in the configuration",
    );
  const log = pino({ level: config.diagnostics.level }, pino.destination({ fd: 2, sync: true }));
  const witness = await openWitness(context, {
    logs,
    onContradiction: ({ origin, size, reason }) =>
      log.error({ origin, size, reason }, "a log contradicts itself; both checkpoints are kept"),
  });
  try {
    const server = await listen(context, witness, (err) => log.error({ err }, "a request failed"));
    const { host } = config.witness.listen;
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${server.port}`;
    const keys = witness.keys.map(formatVerifierKey);
    output.result({ url, keys, logs: logs.map(describeKey) }, () => {
      output.line(`Witness ${witness.keys[0]?.name} takes checkpoints at ${url}/add-checkpoint`);
      for (const key of logs) output.line(`of ${describeKey(key)}`);
      output.note("Ctrl-C stops it; what it cosigned is never forgotten.");
    });
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.close();
  } finally {
    witness.close();
  }
}

async function listen(
  { config }: Context,
  witness: Witness,
  onError: (error: unknown) => void,
): Promise<WitnessServer> {
  const { host, port } = config.witness.listen;
  try {
    return await startWitnessServer({ witness, host, port, onError });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE")) throw cause;
    throw new CliError("port-taken", `expected port ${port} of ${host} to be free`, { cause });
  }
}

export async function printWitnessKeys(context: Context): Promise<void> {
  const witness = await openWitness(context);
  const keys = witness.keys.map(formatVerifierKey);
  witness.close();
  context.output.result({ keys }, () => {
    for (const key of keys) context.output.line(key);
  });
}

export async function showWitness(context: Context): Promise<void> {
  const { output } = context;
  const witness = await openWitness(context);
  const heads = witness.heads().map(({ origin, size, root }) => ({ origin, size, root: base64(root) }));
  const contradictions = witness
    .contradictions()
    .map(({ root, ...contradiction }) => ({ ...contradiction, root: base64(root) }));
  witness.close();
  output.result({ heads, contradictions }, () => {
    for (const { origin, size, root } of heads) output.line(`${origin}: ${size} records, root ${root}`);
    for (const { origin, size, reason, noticedMs } of contradictions)
      output.line(`CONTRADICTION: ${origin} at ${size} (${reason}), noticed ${timeText(noticedMs)}`);
  });
  if (contradictions.length > 0) process.exitCode = EXIT.checkFailed;
}
