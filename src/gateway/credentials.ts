// From the key in a request to the account that is asking. Nothing that a body says takes part.
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { END_USER_HEADER } from "../core/end-user.ts";
import { secretHash } from "../core/key-secret.ts";
import type { KeyDirectory, RejectionCode } from "../state/key-directory.ts";
import type { GatewayErrorCode } from "./errors.ts";

/** The authenticated caller. */
export interface Principal {
  readonly account: string;
  /** Public id of the key; null in pass-through mode, where Adyton gave none out. */
  readonly key: string | null;
  /** Pseudonym of the tenant's own user, where the tenant signed who it is; absent: nobody is told apart. */
  readonly endUser?: string;
}

/** The part of the control plane's key directory that a request needs: in memory and synchronous. */
export type Authenticator = Pick<KeyDirectory, "authenticate" | "endUsers">;

/** A longer value is no key of anybody's; hashing it would be work for nothing. */
const MAX_SECRET_CHARACTERS = 4096;

/** A typo and a key that nobody has look the same from outside. */
const CODES: Readonly<Record<RejectionCode, GatewayErrorCode>> = {
  malformed: "gateway.key-unknown",
  unknown: "gateway.key-unknown",
  revoked: "gateway.key-revoked",
  expired: "gateway.key-expired",
  "account-suspended": "gateway.account-suspended",
};

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The secret of a request: `authorization: Bearer`, `x-api-key` (Anthropic) or `api-key` (Azure); null when none. */
export function secretOf(headers: Headers): string | null {
  const authorization = headers["authorization"];
  if (typeof authorization === "string") {
    const space = authorization.indexOf(" ");
    const isBearer = space === 6 && authorization.slice(0, 6).toLowerCase() === "bearer";
    const secret = isBearer ? authorization.slice(7).trim() : "";
    if (secret !== "" && secret.length <= MAX_SECRET_CHARACTERS) return secret;
  }
  for (const name of ["x-api-key", "api-key"]) {
    const value = headers[name];
    if (typeof value === "string" && value !== "" && value.length <= MAX_SECRET_CHARACTERS) return value;
  }
  return null;
}

/** The secret of a connection's last request, and its hash. */
const LAST_SECRET: unique symbol = Symbol("last secret");

interface Connection extends Socket {
  [LAST_SECRET]?: { readonly secret: string; readonly hash: string };
}

/**
 * The hash that keys are looked up by. A connection's requests nearly always bear the same secret, and hashing it is
 * most of what admission costs (5 us): so the last one is remembered with its connection.
 */
function hashOf(secret: string, { socket }: IncomingMessage): string {
  const connection: Connection = socket;
  const last = connection[LAST_SECRET];
  if (last !== undefined && isSame(last.secret, secret)) return last.hash;
  const hash = secretHash(secret);
  connection[LAST_SECRET] = { secret, hash };
  return hash;
}

/** Looks at every character: a proxy in front may put the requests of many clients on one connection. */
function isSame(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let index = 0; index < one.length; index += 1)
    difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return difference === 0;
}

/**
 * Virtual keys: the key directory decides. What the tenant says of its own user (END_USER_HEADER) tells users
 * apart where it is signed with a key of the account's organisation; else it is evidence in the record, and no more.
 */
export function principalOfVirtualKey(
  request: IncomingMessage,
  directory: Authenticator,
): Principal | GatewayErrorCode {
  const secret = secretOf(request.headers);
  if (secret === null) return "gateway.key-missing";
  const answer = directory.authenticate(secret, hashOf(secret, request));
  if ("rejected" in answer) return CODES[answer.rejected];
  const endUser = request.headers[END_USER_HEADER];
  if (typeof endUser !== "string") return answer;
  const judged = directory.endUsers.judge(endUser, answer.organization);
  return judged.signed ? { account: answer.account, key: answer.key, endUser: judged.pseudonym } : answer;
}

/**
 * Pass-through: the upstream judges the key; its keyed hash is the account, so that the account's name can't be
 * turned back into the key, nor computed by anybody without the installation's secret.
 */
export function principalOfUpstreamKey(
  request: IncomingMessage,
  accountOf: (secret: string) => string,
): Principal | GatewayErrorCode {
  const secret = secretOf(request.headers);
  if (secret === null) return "gateway.key-missing";
  return { account: accountOf(secret), key: null };
}
