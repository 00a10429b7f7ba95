// Settings of RFC 3161 timestamps over checkpoints: who is asked, how often, and whose certificates are trusted.
import { z } from "zod";
import { STAMP_ALGORITHMS, type StampAlgorithm } from "../core/timestamp/algorithms.ts";
import { httpUrl, whole } from "./fields.ts";

export interface AuthorityConfig {
  readonly name: string;
  readonly url: string;
  /** PEM file of trusted root certificates. */
  readonly roots: string;
  /** PEM file of further certificates, or null. */
  readonly certificates: string | null;
}

export interface TimestampConfig {
  readonly authorities: readonly AuthorityConfig[];
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly renewBeforeDays: number;
  /** Day (YYYY-MM-DD) from which on an algorithm is not relied on any more. */
  readonly retire: Readonly<Partial<Record<StampAlgorithm, string>>>;
}

const authority = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
    .meta({ description: "Short name, for file names, metrics and diagnostics." }),
  url: httpUrl.meta({ description: "Where it takes requests (RFC 3161 over HTTP)." }),
  roots: z.string().min(1).meta({
    description:
      "PEM file of the root certificates that its stamps must lead to. A stamp that does not is refused.",
  }),
  certificates: z.string().min(1).nullable().default(null).meta({
    description: "PEM file of certificates that the authority leaves out of its stamps, if it does.",
  }),
});

export const timestampSection: z.ZodPrefault<z.ZodType<TimestampConfig, object>> = z
  .strictObject({
    authorities: z.array(authority).max(16).default([]).meta({
      description:
        "Who puts a time on checkpoints, so that nobody can say the log was made up afterwards. They see a hash, nothing else. Several are independent of each other.",
    }),
    everyMs: whole(
      1_000,
      31 * 86_400_000,
      3_600_000,
      "Shortest time between two stamps of one authority, milliseconds.",
    ),
    timeoutMs: whole(100, 600_000, 30_000, "Longest wait for one answer, milliseconds."),
    renewBeforeDays: whole(
      0,
      3_650,
      30,
      "How long before a certificate or an algorithm behind a stamp lapses the stamp is stamped again.",
    ),
    retire: z
      .partialRecord(z.enum(STAMP_ALGORITHMS), z.iso.date())
      .default({ "rsa-2048": "2031-01-01" })
      .meta({
        description:
          "Day from which on a hash or a kind of key is not to be relied on: stamps that rest on it are stamped again before, over their SHA-512, by an authority that does not. Names: `sha256`, `sha384`, `sha512`, `rsa-2048`, `rsa-3072`, `rsa-4096`, `p-256`, `p-384`, `p-521`. NIST SP 800-57 part 1 allows a strength of 112 bits, that of RSA with 2,048 bits, until 2030.",
      }),
  })
  .superRefine(({ authorities }, context) => {
    const names = authorities.map(({ name }) => name);
    if (new Set(names).size < names.length)
      context.addIssue({ code: "custom", path: ["authorities"], message: "expected names used once" });
  })
  .prefault({})
  .meta({ description: "RFC 3161 timestamps over checkpoints." });
