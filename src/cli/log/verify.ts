// Proofs and policies on the command line: what a verifier trusts, and whether a proof holds under it.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { utf8Text } from "../../core/bytes.ts";
import { formatPolicy, type Policy, parsePolicy, policyName } from "../../core/policy.ts";
import { type ProofTrust, verifyProof } from "../../core/proof.ts";
import { formatVerifierKey, parseVerifierKey } from "../../core/verifier-key.ts";
import type { Context } from "../context.ts";
import { CliError, EXIT } from "../errors.ts";
import { withKeys } from "./run.ts";

/** Reads a policy file. @throws CliError `usage` with the line that is wrong. */
export async function readPolicy(file: string): Promise<Policy> {
  const policy = parsePolicy(await readFile(file));
  if ("fault" in policy)
    throw new CliError("usage", `expected a tlog-policy, got ${policy.fault} at ${file}:${policy.line}`);
  return policy;
}

/** Whom the options name; else this installation's own log. @throws CliError `usage` */
export async function trustOf(
  context: Context,
  options: { key?: string; policy?: string },
): Promise<ProofTrust> {
  if (options.policy !== undefined) return { policy: await readPolicy(options.policy) };
  if (options.key !== undefined) {
    const key = parseVerifierKey(options.key);
    if (key === null)
      throw new CliError("usage", `expected a key like name+12345678+base64, got ${options.key}`);
    return { keys: [key], origin: key.name };
  }
  return await withKeys(context, async (keys) => {
    const origin = context.config.log.origin ?? keys.origin;
    return { keys: keys.verifierKeys(origin), origin };
  });
}

/** Needs no data folder when a key or a policy is given. Exit code 4: not proved. */
export async function verifyProofFile(
  context: Context,
  file: string,
  options: { key?: string; policy?: string },
): Promise<void> {
  const { output } = context;
  const trust = await trustOf(context, options);
  const proof = file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
  const verified = verifyProof(proof, trust);
  if ("fault" in verified) {
    output.result({ verified: false, fault: verified.fault }, () =>
      output.line(`NOT proved: ${verified.fault}`),
    );
    process.exitCode = EXIT.checkFailed;
    return;
  }
  const { index, leaf, checkpoint } = verified;
  const signatures = checkpoint.verified.map(({ key: { name, type }, timeSeconds }) => ({
    name,
    type,
    timeSeconds,
  }));
  const witnesses = verified.witnesses.map(policyName);
  const shown = { index, leaf: utf8Text(leaf), origin: checkpoint.origin, size: checkpoint.size };
  output.result({ verified: true, ...shown, signatures, witnesses }, () => {
    output.line(`proved: record ${index} of the ${checkpoint.size} in ${checkpoint.origin}`);
    if ("policy" in trust)
      output.line(witnesses.length === 0 ? "no witness asked for" : `witnessed by ${witnesses.join(", ")}`);
    output.line(shown.leaf ?? "");
  });
}

/** The policy of this installation: its log under its public address, its witnesses, its quorum. */
export async function printPolicy(context: Context): Promise<void> {
  const { config, output } = context;
  const { witnesses, witnessQuorum: quorum } = config.log;
  const base = config.console.publicUrl?.replace(/\/$/, "");
  const url = base === undefined ? null : `${base}/log`;
  const policy = await withKeys(context, async (keys) =>
    formatPolicy({
      logs: keys
        .verifierKeys(config.log.origin ?? keys.origin)
        .map((key) => ({ vkey: formatVerifierKey(key), url })),
      witnesses,
      quorum,
    }),
  );
  output.result({ policy }, () => {
    for (const line of policy.trimEnd().split("\n")) output.line(line);
  });
}
