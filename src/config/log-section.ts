// The log's settings: its name, its pace, and the witnesses that sign beside it. And those of a witness for other logs.
import { z } from "zod";
import { ED25519_COSIGNATURE, ED25519_NOTE, parseVerifierKey } from "../core/verifier-key.ts";
import { httpUrl, type Listen, listen, whole } from "./fields.ts";
import { type TimestampConfig, timestampSection } from "./timestamp-section.ts";

/** Somebody else's witness that is asked to cosign our checkpoints. */
export interface WitnessConfig {
  readonly name: string;
  readonly vkeys: readonly string[];
  readonly url: string;
}

export interface LogConfig {
  /** Null: `adyton.local/` and the installation's node id. */
  readonly origin: string | null;
  readonly segmentBytes: number;
  readonly checkpointEveryMs: number;
  readonly witnesses: readonly WitnessConfig[];
  readonly witnessQuorum: number;
  readonly witnessEveryMs: number;
  readonly witnessTimeoutMs: number;
  readonly timestamps: TimestampConfig;
  /** Null: content is kept until somebody erases it. */
  readonly retentionDays: number | null;
}

/** `adyton witness serve`: what this machine witnesses for others. */
export interface WitnessServiceConfig {
  /** Null: `witness.local/` and a random id that is kept with the key. */
  readonly name: string | null;
  readonly listen: Listen;
  readonly logs: readonly string[];
}

const MIB = 1024 * 1024;
/** A checkpoint holds 64 signatures, two of them our own. */
const MAX_WITNESS_KEYS = 60;
/** Names that a policy made from the configuration uses itself. */
const RESERVED: readonly string[] = ["none", "witnesses"];

const keyName = z
  .string()
  .regex(/^[^\s+]{1,255}$/, "expected a name without spaces or plus signs, such as example.com/adyton");

const witnessKey = z.string().refine((text) => {
  const key = parseVerifierKey(text);
  return key !== null && key.type !== ED25519_NOTE;
}, "expected a witness's key, as `adyton witness key` prints it");

const logKey = z.string().refine((text) => {
  const key = parseVerifierKey(text);
  return key !== null && key.type !== ED25519_COSIGNATURE;
}, "expected a log's key, as `adyton log policy` prints it");

const witness = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)
    .refine((name) => !RESERVED.includes(name), "expected another name: this one has a meaning in policies")
    .meta({ description: "Short name, for policies, metrics and diagnostics." }),
  vkeys: z.array(witnessKey).min(1).max(8).meta({
    description: "Its public keys. Any one of them counts; a wrong signature by any of them is refused.",
  }),
  url: httpUrl.meta({
    description: "Where it takes checkpoints: its submission prefix (C2SP tlog-witness).",
  }),
});

export const logSection: z.ZodType<LogConfig, object | undefined> = z
  .strictObject({
    origin: keyName.nullable().default(null).meta({
      description:
        "Name of this log in its checkpoints, schema-less URL style. Choose it once, before the first record: verifiers pin it. `null`: `adyton.local/` and the installation's random id.",
    }),
    segmentBytes: whole(
      MIB,
      1024 * MIB,
      16 * MIB,
      "Size of one write-ahead segment, bytes. Larger segments are recycled less often; a crash re-reads at most one for each writer.",
    ),
    checkpointEveryMs: whole(
      10,
      60_000,
      500,
      "Time between signed checkpoints while records arrive, milliseconds.",
    ),
    witnesses: z.array(witness).max(32).default([]).meta({
      description:
        "Who is asked to cosign checkpoints, so that the log can't show different histories to different people. They see sizes and hashes, no content.",
    }),
    witnessQuorum: whole(
      0,
      32,
      0,
      "How many of the witnesses must have cosigned a checkpoint. One below the quorum is published and says so; sealing never waits.",
    ),
    witnessEveryMs: whole(
      100,
      86_400_000,
      10_000,
      "Shortest time between two rounds of asking, milliseconds. Public witnesses state how often they may be asked.",
    ),
    witnessTimeoutMs: whole(100, 600_000, 10_000, "Longest wait for one witness's answer, milliseconds."),
    timestamps: timestampSection,
    retentionDays: z.int().min(1).max(36_500).nullable().default(null).meta({
      description:
        "Content older than this is erased, but for what is under a legal hold; leaves and proofs stay. `null`: it is kept until somebody erases it.",
    }),
  })
  .prefault({})
  .superRefine(({ witnesses, witnessQuorum }, context) => {
    const names = new Set<string>();
    const keys = new Set<string>();
    for (const [index, { name, vkeys }] of witnesses.entries()) {
      const path = ["witnesses", index];
      if (names.has(name))
        context.addIssue({ code: "custom", path: [...path, "name"], message: "expected a name used once" });
      names.add(name);
      for (const vkey of vkeys) {
        if (keys.has(vkey))
          context.addIssue({ code: "custom", path: [...path, "vkeys"], message: "expected a key used once" });
        keys.add(vkey);
      }
    }
    if (keys.size > MAX_WITNESS_KEYS)
      context.addIssue({
        code: "custom",
        path: ["witnesses"],
        message: `expected at most ${MAX_WITNESS_KEYS} keys of all witnesses together`,
      });
    if (witnessQuorum > witnesses.length)
      context.addIssue({
        code: "custom",
        path: ["witnessQuorum"],
        message: `expected at most the ${witnesses.length} witnesses that there are`,
      });
  })
  .meta({ description: "The tamper-evident query log." });

export const witnessSection: z.ZodType<WitnessServiceConfig, object | undefined> = z
  .strictObject({
    name: keyName.nullable().default(null).meta({
      description:
        "Name in this witness's cosignatures, schema-less URL style; logs and verifiers pin it. `null`: `witness.local/` and a random id that is kept with its key.",
    }),
    listen: listen(8789, "Where `adyton witness serve` takes checkpoints of other logs."),
    logs: z.array(logKey).max(1000).default([]).meta({
      description:
        "Keys of the logs that are witnessed, as `adyton log policy` prints them; a log may have several. `--log` and `--policy` add to them.",
    }),
  })
  .prefault({})
  .meta({ description: "This machine as a witness of other logs (`adyton witness serve`)." });
