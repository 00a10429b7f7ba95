// Who may use which route, written down by hand: the authorisation matrix that the tests hold the server to.
import type { RouteName } from "../../src/api/access.ts";

/** `nobody` first: whether a request without any identity is let in. Then the roles, each a letter when it is let in. */
export interface Line {
  /** Of `-vapd`: nobody, viewer, analyst, approver, administrator. `*`: everybody, signed in or not. */
  readonly people: "*" | "vapd" | "apd" | "pd" | "d";
  /** The scope that lets a machine in; null: no machine. */
  readonly scope: string | null;
}

const everybody: Line = { people: "*", scope: null };
const peopleWho = (people: Line["people"]): Line => ({ people, scope: null });
const line = (people: Line["people"], scope: string): Line => ({ people, scope });

/** A route without a line is a type error and a failed test. */
export const MATRIX: Readonly<Record<RouteName, Line>> = {
  "POST /api/session": everybody,
  "GET /api/sign-in": everybody,
  "GET /api/sign-in/provider": everybody,
  "GET /api/sign-in/provider/callback": everybody,
  "GET /health": everybody,
  "GET /log/checkpoint": everybody,
  "GET /log/checkpoint.cosigned": everybody,
  "GET /log/timestamps/*": everybody,
  "GET /log/tile/*": everybody,

  "GET /api/session": peopleWho("vapd"),
  "DELETE /api/session": peopleWho("vapd"),

  "GET /api/health": line("vapd", "health:read"),
  "GET /metrics": line("vapd", "metrics:read"),
  "GET /api/findings": line("vapd", "findings:read"),
  "GET /api/findings/:id": line("vapd", "findings:read"),
  "GET /api/findings/:id/graph": line("vapd", "findings:read"),
  "GET /api/accounts": line("vapd", "accounts:read"),
  "GET /api/accounts/:account": line("vapd", "accounts:read"),
  "GET /api/accounts/:account/exchanges": line("vapd", "accounts:read"),
  "GET /api/accounts/:account/standing": line("vapd", "accounts:read"),
  "GET /api/organizations": line("vapd", "organizations:read"),
  "GET /api/organizations/:organization": line("vapd", "organizations:read"),
  "GET /api/exchanges/:id": line("vapd", "exchanges:read"),
  "GET /api/ledger": line("vapd", "ledger:read"),
  "GET /api/ledger/records": line("vapd", "ledger:read"),
  "GET /api/ledger/records/:index": line("vapd", "ledger:read"),

  "GET /api/policy": peopleWho("vapd"),
  "GET /api/verdicts": peopleWho("vapd"),
  "GET /api/verdicts/:id": peopleWho("vapd"),
  "GET /api/appeals": peopleWho("apd"),
  "GET /api/cases": peopleWho("vapd"),
  "GET /api/cases/:id": peopleWho("vapd"),
  "POST /api/cases": peopleWho("apd"),
  "POST /api/cases/:id/entries": peopleWho("apd"),
  "POST /api/cases/:id/export": peopleWho("pd"),
  "GET /api/approvals": peopleWho("apd"),
  "POST /api/approvals/:id/decision": peopleWho("pd"),
  "POST /api/verdicts/:id/decision": peopleWho("pd"),
  "POST /api/verdicts/:id/release": peopleWho("pd"),
  "POST /api/appeals/:id/decision": peopleWho("pd"),

  "PATCH /api/findings/:id": line("apd", "findings:write"),
  "POST /api/findings/:id/accounts": line("apd", "findings:write"),
  "POST /api/hunt": line("apd", "hunt:write"),
  "POST /api/exchanges/:id/reveal": peopleWho("apd"),

  "POST /api/accounts/:account/verifications": line("pd", "accounts:write"),
  "POST /api/accounts/:account/uses": line("pd", "accounts:write"),
  "DELETE /api/accounts/:account/uses/:use": line("pd", "accounts:write"),
  "POST /api/organizations/:organization/verifications": line("pd", "organizations:write"),
  "POST /api/organizations/:organization/uses": line("pd", "organizations:write"),
  "DELETE /api/organizations/:organization/uses/:use": line("pd", "organizations:write"),

  "PUT /api/accounts/:account": line("d", "accounts:write"),
  "POST /api/accounts/:account/keys": line("d", "accounts:write"),
  "GET /api/account-list": line("d", "account-list:read"),
  "POST /api/account-list": line("d", "account-list:write"),
  "DELETE /api/keys/:id": line("d", "keys:write"),
  "PUT /api/organizations/:organization": line("d", "organizations:write"),
  "POST /api/organizations/:organization/end-user-keys": line("d", "organizations:write"),
  "DELETE /api/end-user-keys/:id": line("d", "end-user-keys:write"),
  "GET /api/users": peopleWho("d"),
  "POST /api/users": peopleWho("d"),
  "PATCH /api/users/:name": peopleWho("d"),
  "GET /api/tokens": peopleWho("d"),
  "POST /api/tokens": peopleWho("d"),
  "DELETE /api/tokens/:id": peopleWho("d"),
};
