// What the API needs of the rest of Adyton, and what a handler gets with each request.
import type { Context } from "hono";
import type { Logger } from "pino";
import type { DataFolder } from "../config/data-folder.ts";
import type { Config } from "../config/schema.ts";
import type { Finding } from "../core/finding.ts";
import type { ExportFacts } from "../evidence/export-facts.ts";
import type { SealedLog } from "../log/sealed-log.ts";
import type { LogWriter } from "../log/writer.ts";
import type { Policy } from "../respond/policy.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../store/store.ts";
import type { RouteName } from "./access.ts";
import type { Component } from "./contract/operations.ts";
import type { Role } from "./contract/session.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import type { RequestCounters } from "./metrics.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { UnusualAccounts } from "./unusual-accounts.ts";

/** Who asks. */
export interface Identity {
  readonly name: string;
  readonly role: Role;
  /** As acts and decisions name them: `user:ada`, `cli:root`. */
  readonly actor: string;
  /** Null: an identity that does not end, such as the local operator's. */
  readonly expiresMs: number | null;
  /** A machine's token: what it may do, whatever the role. Null: a person. */
  readonly scopes: readonly string[] | null;
}

/** What the API needs of the response that runs beside it. */
export interface ResponsePort {
  readonly mode: "shadow" | "enforce";
  readonly policy: Policy;
  /** SHA-256 of the policy. */
  readonly hash: string;
  /** When a decision of now takes effect: the policy's delay with its random part. */
  effectiveMs(): number;
  /** Called after each decision, so that gateways hear of it at once. */
  changed(): Promise<void>;
}

export interface ApiOptions {
  readonly state: State;
  readonly log: SealedLog;
  /** Writes this process's acts. Nothing that must be recorded happens before its record is durable. */
  readonly writer: LogWriter;
  readonly store: Store;
  readonly folder: DataFolder;
  readonly config: Pick<Config, "console" | "log" | "evidence">;
  /** Folder of the built console; null: none is served. */
  readonly consoleFolder: string | null;
  /** Runs the detectors over what is stored and keeps what they find. Null where no detection runs. */
  readonly hunt: (() => Promise<readonly Finding[]>) | null;
  /** How the other processes are; asked at each look. */
  readonly components?: () => readonly Component[];
  /** Further metrics in Prometheus' text format, each line ended. */
  readonly metrics?: () => string;
  /**
   * Names who asks by other means than a session: for a Unix socket that only the operator can open. Such requests
   * need no protection against foreign sites, because no browser reaches the socket.
   */
  readonly identityOf?: (request: Request) => Identity | null;
  /** Derives the secrets with which tenants sign; absent: such keys can't be made here. */
  readonly endUserMaster?: Uint8Array;
  /** Signs people in through the configured identity provider; absent: there is none. */
  readonly provider?: IdentityProvider;
  /** What each bundle says of the installation; absent: cases can't be exported here. */
  readonly exportFacts?: () => Promise<ExportFacts>;
  /** Absent: no response runs, and nothing can be decided here. */
  readonly response?: ResponsePort;
  readonly diagnostics: Logger;
  readonly clock: () => number;
}

/** Set before a handler runs. */
export interface ApiEnv {
  Variables: {
    requestId: string;
    /** Present on every route that is not for anyone. */
    identity: Identity;
  };
}

export type ApiContext = Context<ApiEnv>;

/** The options with what the API keeps for itself. */
export interface ApiServices extends ApiOptions {
  readonly requests: RequestCounters;
  readonly signInAttempts: RateLimit;
  readonly tokenFailures: RateLimit;
  readonly unusual: UnusualAccounts;
}

export type Handler = (context: ApiContext, services: ApiServices) => Promise<Response> | Response;
export type Handlers<Name extends RouteName> = Readonly<Record<Name, Handler>>;
