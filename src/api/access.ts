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
  | "PATCH /api/findings/:id"
  | "GET /api/accounts"
  | "GET /api/accounts/:account"
  | "GET /api/accounts/:account/exchanges"
  | "GET /api/exchanges/:id"
  | "POST /api/exchanges/:id/reveal"
  | "GET /api/ledger"
  | "GET /api/ledger/records"
  | "GET /api/ledger/records/:index"
  | "POST /api/hunt"
  | "GET /metrics"
  | "GET /health"
  | "GET /log/checkpoint"
  | "GET /log/tile/*";

export const ACCESS: Readonly<Record<RouteName, Access>> = {
  "POST /api/session": "anyone",
  "GET /api/session": "viewer",
  "DELETE /api/session": "viewer",
  "GET /api/health": "viewer",
  "GET /api/findings": "viewer",
  "GET /api/findings/:id": "viewer",
  "PATCH /api/findings/:id": "analyst",
  "GET /api/accounts": "viewer",
  "GET /api/accounts/:account": "viewer",
  "GET /api/accounts/:account/exchanges": "viewer",
  "GET /api/exchanges/:id": "viewer",
  "POST /api/exchanges/:id/reveal": "analyst",
  "GET /api/ledger": "viewer",
  "GET /api/ledger/records": "viewer",
  "GET /api/ledger/records/:index": "viewer",
  "POST /api/hunt": "analyst",
  "GET /metrics": "viewer",
  "GET /health": "anyone",
  "GET /log/checkpoint": "anyone",
  "GET /log/tile/*": "anyone",
};

export function mayUse(role: Role, access: Access): boolean {
  return access === "anyone" || roleReaches(role, access);
}
