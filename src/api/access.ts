// Every route of the API and the least role that may use it: the one table that the server and the tests walk.
import { type Role, roleReaches } from "../core/role.ts";

/** `anyone`: no session needed, because what is served is public or the route is the way in. */
export type Access = Role | "anyone";

/** Method and path: `GET /api/findings/:id`. */
export type RouteName =
  | "POST /api/session"
  | "GET /api/session"
  | "DELETE /api/session"
  | "GET /api/health"
  | "GET /api/findings"
  | "GET /api/findings/:id"
  | "GET /api/findings/:id/graph"
  | "PATCH /api/findings/:id"
  | "POST /api/findings/:id/accounts"
  | "GET /api/accounts"
  | "GET /api/accounts/:account"
  | "GET /api/accounts/:account/exchanges"
  | "GET /api/accounts/:account/standing"
  | "PUT /api/accounts/:account"
  | "POST /api/accounts/:account/keys"
  | "POST /api/accounts/:account/verifications"
  | "POST /api/accounts/:account/uses"
  | "DELETE /api/accounts/:account/uses/:use"
  | "GET /api/account-list"
  | "POST /api/account-list"
  | "DELETE /api/keys/:id"
  | "GET /api/organizations"
  | "GET /api/organizations/:organization"
  | "PUT /api/organizations/:organization"
  | "POST /api/organizations/:organization/verifications"
  | "POST /api/organizations/:organization/uses"
  | "DELETE /api/organizations/:organization/uses/:use"
  | "POST /api/organizations/:organization/end-user-keys"
  | "DELETE /api/end-user-keys/:id"
  | "GET /api/users"
  | "POST /api/users"
  | "PATCH /api/users/:name"
  | "GET /api/tokens"
  | "POST /api/tokens"
  | "DELETE /api/tokens/:id"
  | "GET /api/sign-in"
  | "GET /api/sign-in/provider"
  | "GET /api/sign-in/provider/callback"
  | "GET /api/exchanges/:id"
  | "POST /api/exchanges/:id/reveal"
  | "GET /api/ledger"
  | "GET /api/ledger/records"
  | "GET /api/ledger/records/:index"
  | "POST /api/hunt"
  | "GET /api/policy"
  | "GET /api/verdicts"
  | "GET /api/verdicts/:id"
  | "POST /api/verdicts/:id/decision"
  | "POST /api/verdicts/:id/release"
  | "GET /api/cases"
  | "POST /api/cases"
  | "GET /api/cases/:id"
  | "POST /api/cases/:id/entries"
  | "POST /api/cases/:id/export"
  | "GET /api/approvals"
  | "POST /api/approvals/:id/decision"
  | "GET /api/appeals"
  | "POST /api/appeals/:id/decision"
  | "GET /metrics"
  | "GET /health"
  | "GET /log/checkpoint"
  | "GET /log/checkpoint.cosigned"
  | "GET /log/timestamps/*"
  | "GET /log/tile/*";

export const ACCESS: Readonly<Record<RouteName, Access>> = {
  "POST /api/session": "anyone",
  "GET /api/session": "viewer",
  "DELETE /api/session": "viewer",
  "GET /api/health": "viewer",
  "GET /api/findings": "viewer",
  "GET /api/findings/:id": "viewer",
  "GET /api/findings/:id/graph": "viewer",
  "PATCH /api/findings/:id": "analyst",
  "POST /api/findings/:id/accounts": "analyst",
  "GET /api/accounts": "viewer",
  "GET /api/accounts/:account": "viewer",
  "GET /api/accounts/:account/exchanges": "viewer",
  "GET /api/accounts/:account/standing": "viewer",
  "PUT /api/accounts/:account": "admin",
  "POST /api/accounts/:account/keys": "admin",
  "POST /api/accounts/:account/verifications": "approver",
  "POST /api/accounts/:account/uses": "approver",
  "DELETE /api/accounts/:account/uses/:use": "approver",
  "GET /api/account-list": "admin",
  "POST /api/account-list": "admin",
  "DELETE /api/keys/:id": "admin",
  "GET /api/organizations": "viewer",
  "GET /api/organizations/:organization": "viewer",
  "PUT /api/organizations/:organization": "admin",
  "POST /api/organizations/:organization/verifications": "approver",
  "POST /api/organizations/:organization/uses": "approver",
  "DELETE /api/organizations/:organization/uses/:use": "approver",
  "POST /api/organizations/:organization/end-user-keys": "admin",
  "DELETE /api/end-user-keys/:id": "admin",
  "GET /api/users": "admin",
  "POST /api/users": "admin",
  "PATCH /api/users/:name": "admin",
  "GET /api/tokens": "admin",
  "POST /api/tokens": "admin",
  "DELETE /api/tokens/:id": "admin",
  "GET /api/sign-in": "anyone",
  "GET /api/sign-in/provider": "anyone",
  "GET /api/sign-in/provider/callback": "anyone",
  "GET /api/exchanges/:id": "viewer",
  "POST /api/exchanges/:id/reveal": "analyst",
  "GET /api/ledger": "viewer",
  "GET /api/ledger/records": "viewer",
  "GET /api/ledger/records/:index": "viewer",
  "POST /api/hunt": "analyst",
  "GET /api/policy": "viewer",
  "GET /api/verdicts": "viewer",
  "GET /api/verdicts/:id": "viewer",
  "POST /api/verdicts/:id/decision": "approver",
  "POST /api/verdicts/:id/release": "approver",
  "GET /api/cases": "viewer",
  "POST /api/cases": "analyst",
  "GET /api/cases/:id": "viewer",
  "POST /api/cases/:id/entries": "analyst",
  "POST /api/cases/:id/export": "approver",
  "GET /api/approvals": "analyst",
  "POST /api/approvals/:id/decision": "approver",
  "GET /api/appeals": "analyst",
  "POST /api/appeals/:id/decision": "approver",
  "GET /metrics": "viewer",
  "GET /health": "anyone",
  "GET /log/checkpoint": "anyone",
  "GET /log/checkpoint.cosigned": "anyone",
  "GET /log/timestamps/*": "anyone",
  "GET /log/tile/*": "anyone",
};

export function mayUse(role: Role, access: Access): boolean {
  return access === "anyone" || roleReaches(role, access);
}

/**
 * What machines may be let into, by the first part of the path. Everything else is for people: decisions that need a
 * person's judgement, other people's access, and content in clear. A new subject is for people until it stands here.
 */
const MACHINE_SUBJECTS: ReadonlySet<string> = new Set([
  "account-list",
  "accounts",
  "end-user-keys",
  "exchanges",
  "findings",
  "health",
  "hunt",
  "keys",
  "ledger",
  "metrics",
  "organizations",
]);
const PEOPLE_ONLY: ReadonlySet<RouteName> = new Set(["POST /api/exchanges/:id/reveal"]);

/** The scope that a token needs for a route; null: no token opens it. */
export function scopeOf(name: RouteName): string | null {
  if (ACCESS[name] === "anyone" || PEOPLE_ONLY.has(name)) return null;
  const [method, path = ""] = name.split(" ");
  const [first, second = ""] = path.split("/").slice(1);
  const subject = first === "api" ? second : (first ?? "");
  return MACHINE_SUBJECTS.has(subject) ? `${subject}:${method === "GET" ? "read" : "write"}` : null;
}

/** Every scope that a token may hold, in the order of the alphabet. */
export const SCOPES: readonly string[] = [
  ...new Set((Object.keys(ACCESS) as RouteName[]).map(scopeOf).filter((scope) => scope !== null)),
].sort();
