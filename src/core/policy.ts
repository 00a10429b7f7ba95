// C2SP tlog-policy: the text file by which a verifier says which logs and which quorum of witnesses it trusts.
import { Buffer } from "node:buffer";
import { parseDecimal, utf8Text } from "./bytes.ts";
import {
  ED25519_COSIGNATURE,
  ED25519_NOTE,
  ML_DSA_44_COSIGNATURE,
  parseVerifierKey,
  type SignatureType,
  type VerifierKey,
} from "./verifier-key.ts";

/** A post-quantum key takes 1.8 kB: room for 256 logs and 256 witnesses, four times over. */
export const MAX_POLICY_BYTES: number = 4 * 1024 * 1024;
/** Logs, witnesses and groups, each. The specification asks for at least 32. */
export const MAX_POLICY_ENTRIES = 256;

const LOG_TYPES: readonly SignatureType[] = [ED25519_NOTE, ML_DSA_44_COSIGNATURE];
const WITNESS_TYPES: readonly SignatureType[] = [ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE];
/** Names nothing; as a quorum it asks for no cosignature. */
const NONE = "none";

export interface PolicyLog {
  readonly key: VerifierKey;
  readonly url: string | null;
}

export interface PolicyWitness {
  /** Opaque octets, one character each (latin1), as the specification compares them. */
  readonly name: string;
  readonly key: VerifierKey;
  readonly url: string | null;
}

export interface PolicyGroup {
  readonly name: string;
  /** How many of the members must have witnessed a checkpoint. */
  readonly threshold: number;
  /** Names of witnesses and of groups defined before. */
  readonly members: readonly string[];
}

export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[];
  /** A witness, a group, or null: no cosignature is asked for. */
  readonly quorum: string | null;
}

/** Why a policy was refused; `line` counts from 1, 0 is the file as a whole. */
export interface PolicyFault {
  readonly fault:
    | "too-long"
    | "control-character"
    | "unknown-keyword"
    | "malformed-line"
    | "malformed-key"
    | "wrong-key-type"
    | "duplicate-key"
    | "duplicate-name"
    | "unknown-name"
    | "member-twice"
    | "bad-threshold"
    | "too-many-entries"
    | "quorum-twice"
    | "no-quorum";
  readonly line: number;
}

type LineFault = PolicyFault["fault"] | null;

/** What has been read so far. */
class Draft {
  readonly logs: PolicyLog[] = [];
  readonly witnesses: PolicyWitness[] = [];
  readonly groups: PolicyGroup[] = [];
  readonly names: Set<string> = new Set([NONE]);
  readonly members: Set<string> = new Set();
  quorum: string | null | undefined = undefined;

  log([vkey, url, ...more]: readonly string[]): LineFault {
    if (vkey === undefined || more.length > 0) return "malformed-line";
    const key = keyOf(vkey, LOG_TYPES, this.logs);
    if (typeof key === "string") return key;
    this.logs.push({ key, url: url ?? null });
    return this.logs.length > MAX_POLICY_ENTRIES ? "too-many-entries" : null;
  }

  witness([name, vkey, url, ...more]: readonly string[]): LineFault {
    if (name === undefined || vkey === undefined || more.length > 0) return "malformed-line";
    const key = keyOf(vkey, WITNESS_TYPES, this.witnesses);
    if (typeof key === "string") return key;
    if (this.names.has(name)) return "duplicate-name";
    this.names.add(name);
    this.witnesses.push({ name, key, url: url ?? null });
    return this.witnesses.length > MAX_POLICY_ENTRIES ? "too-many-entries" : null;
  }

  group([name, count, ...members]: readonly string[]): LineFault {
    if (name === undefined || count === undefined || members.length === 0) return "malformed-line";
    if (this.names.has(name)) return "duplicate-name";
    for (const member of members) {
      if (member === NONE || !this.names.has(member)) return "unknown-name";
      // Once in the whole file: each witness counts towards the quorum in one way only.
      if (this.members.has(member)) return "member-twice";
      this.members.add(member);
    }
    const threshold = count === "any" ? 1 : count === "all" ? members.length : (parseDecimal(count) ?? 0);
    if (threshold < 1 || threshold > members.length) return "bad-threshold";
    this.names.add(name);
    this.groups.push({ name, threshold, members });
    return this.groups.length > MAX_POLICY_ENTRIES ? "too-many-entries" : null;
  }

  setQuorum([name, ...more]: readonly string[]): LineFault {
    if (name === undefined || more.length > 0) return "malformed-line";
    if (this.quorum !== undefined) return "quorum-twice";
    if (!this.names.has(name)) return "unknown-name";
    this.quorum = name === NONE ? null : name;
    return null;
  }
}

/** Key names are UTF-8 inside a file of octets. Two keys are duplicates when their public halves are the same. */
function keyOf(
  octets: string,
  types: readonly SignatureType[],
  known: readonly { readonly key: VerifierKey }[],
): VerifierKey | PolicyFault["fault"] {
  const text = utf8Text(Buffer.from(octets, "latin1"));
  const key = text === null ? null : parseVerifierKey(text);
  if (key === null) return "malformed-key";
  if (!types.includes(key.type)) return "wrong-key-type";
  const same = known.some((other) => Buffer.compare(other.key.publicKey, key.publicKey) === 0);
  return same ? "duplicate-key" : key;
}

/** Parses a policy file. Never throws; the fault names the first bad line. */
export function parsePolicy(bytes: Uint8Array): Policy | PolicyFault {
  if (bytes.length > MAX_POLICY_BYTES) return { fault: "too-long", line: 0 };
  const draft = new Draft();
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  for (const [index, line] of lines.entries()) {
    const fault = readLine(draft, line);
    if (fault !== null) return { fault, line: index + 1 };
  }
  const { logs, witnesses, groups, quorum } = draft;
  if (quorum === undefined) return { fault: "no-quorum", line: 0 };
  return { logs, witnesses, groups, quorum };
}

function readLine(draft: Draft, line: string): LineFault {
  for (let i = 0; i < line.length; i++) {
    const octet = line.charCodeAt(i);
    if ((octet < 0x20 && octet !== 0x09) || octet === 0x7f) return "control-character";
  }
  const items = line.split(/[ \t]+/).filter((item) => item !== "");
  const [keyword, ...rest] = items;
  if (keyword === undefined || keyword.startsWith("#")) return null;
  if (keyword === "log") return draft.log(rest);
  if (keyword === "witness") return draft.witness(rest);
  if (keyword === "group") return draft.group(rest);
  if (keyword === "quorum") return draft.setQuorum(rest);
  return "unknown-keyword";
}

/** Names of witnesses and groups as people read them. */
export function policyName(octets: string): string {
  return Buffer.from(octets, "latin1").toString("utf8");
}

/** Does this set of witnesses (by name) satisfy the quorum? Groups refer only to what stands before them. */
export function satisfiesQuorum(policy: Policy, witnessed: ReadonlySet<string>): boolean {
  if (policy.quorum === null) return true;
  const holds = new Set(witnessed);
  for (const { name, threshold, members } of policy.groups)
    if (members.filter((member) => holds.has(member)).length >= threshold) holds.add(name);
  return holds.has(policy.quorum);
}

/** A witness as `formatPolicy` puts it into a policy: an operator with one key of each kind it signs with. */
export interface TrustedWitness {
  readonly name: string;
  readonly vkeys: readonly string[];
  readonly url: string;
}

/**
 * The text of a policy: these logs, and `quorum` of these witnesses (0: none). A witness with several keys counts once,
 * whichever of its keys signed.
 */
export function formatPolicy(options: {
  logs: readonly { vkey: string; url: string | null }[];
  witnesses: readonly TrustedWitness[];
  quorum: number;
}): string {
  const { logs, witnesses, quorum } = options;
  const lines = logs.map(({ vkey, url }) => (url === null ? `log ${vkey}` : `log ${vkey} ${url}`));
  for (const { name, vkeys, url } of witnesses) {
    const [only] = vkeys;
    if (vkeys.length === 1) lines.push(`witness ${name} ${only} ${url}`);
    else {
      const names = vkeys.map((_, i) => `${name}/${i + 1}`);
      for (const [i, vkey] of vkeys.entries()) lines.push(`witness ${names[i]} ${vkey} ${url}`);
      lines.push(`group ${name} any ${names.join(" ")}`);
    }
  }
  const members = witnesses.map(({ name }) => name).join(" ");
  if (quorum === 0) lines.push("quorum none");
  else lines.push(`group witnesses ${quorum} ${members}`, "quorum witnesses");
  return `${lines.join("\n")}\n`;
}
