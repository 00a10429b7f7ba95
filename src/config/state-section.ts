// Where the control plane's facts are kept: in a file of the data folder, or in a PostgreSQL that several machines share.
import { z } from "zod";
import { type SecretReference, secretReference, whole } from "./fields.ts";

export interface StateConfig {
  /** Null: SQLite in the data folder. */
  readonly url: string | null;
  readonly password: SecretReference | null;
  readonly tls: "verify" | "off";
  /** Path of a PEM file; null: the authorities that the system trusts. */
  readonly certificateAuthority: string | null;
  readonly connections: number;
  readonly busyTimeoutMs: number;
  /** How old this machine's copy may be with which a gateway starts while the database is away, hours. */
  readonly lastKnownHours: number;
}

const postgresUrl: z.ZodType<string, string> = z
  .string()
  .max(2048)
  .refine((text) => isPostgresUrl(text), {
    error: "expected postgres://user@host:port/database without a password, query or fragment",
  });

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol)) return false;
  const plain = url.password === "" && url.search === "" && url.hash === "";
  return plain && url.hostname !== "" && /^\/[^/]+$/.test(url.pathname);
}

/** What holds where no file says otherwise: SQLite. */
export const EMBEDDED_STATE: StateConfig = {
  url: null,
  password: null,
  tls: "verify",
  certificateAuthority: null,
  connections: 4,
  busyTimeoutMs: 5_000,
  lastKnownHours: 24,
};

export const stateSection: z.ZodType<StateConfig, object | undefined> = z
  .strictObject({
    url: postgresUrl.nullable().default(EMBEDDED_STATE.url).meta({
      description:
        "URL of a PostgreSQL database (13 or newer) that several machines share, such as `postgres://adyton@db.internal:5432/adyton`. `null`: SQLite in the data folder, nothing to install.",
    }),
    password: secretReference.nullable().default(EMBEDDED_STATE.password).meta({
      description: "Where that user's password is kept: `{ env: NAME }` or `{ file: PATH }`.",
    }),
    tls: z.enum(["verify", "off"]).default(EMBEDDED_STATE.tls).meta({
      description:
        "`verify`: connect over TLS and check the server's certificate. `off`: in clear, for a database on this machine or behind a private link.",
    }),
    certificateAuthority: z
      .string()
      .min(1)
      .max(4096)
      .nullable()
      .default(EMBEDDED_STATE.certificateAuthority)
      .meta({
        description:
          "PEM file of the authority that signed the server's certificate. `null`: those that the system trusts.",
      }),
    connections: whole(1, 100, EMBEDDED_STATE.connections, "Connections that each process holds at most."),
    busyTimeoutMs: whole(
      10,
      600_000,
      EMBEDDED_STATE.busyTimeoutMs,
      "How long a change waits for another process's change, milliseconds.",
    ),
    lastKnownHours: whole(
      0,
      8760,
      EMBEDDED_STATE.lastKnownHours,
      "With `url`: how old this machine's copy of keys and verdicts may be with which gateways start while the database can't be reached, hours. A key revoked meanwhile works that long. 0: they don't start.",
    ),
  })
  .prefault({})
  .meta({ description: "Accounts, keys, people, findings and verdicts: the control plane's facts." });
