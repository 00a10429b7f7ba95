// Users and tokens: who may come in, as what, and until when. For administrators only, and never for machines.

import type { User as StoredUser } from "../../state/people.ts";
import type { Token as StoredToken } from "../../state/tokens.ts";
import { SCOPES } from "../access.ts";
import { recordedBy } from "../acts.ts";
import {
  type MadeLink,
  type MadeToken,
  newToken,
  newUser,
  type Token,
  type Tokens,
  tokensQuery,
  type User,
  userPatch,
} from "../contract/people.ts";
import { ApiError } from "../errors.ts";
import { isoTime, isoTimeOrNull, pathPart, readBody, readQuery } from "../http.ts";
import type { Handlers } from "../services.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const peopleHandlers: Handlers<
  | "GET /api/users"
  | "POST /api/users"
  | "PATCH /api/users/:name"
  | "GET /api/tokens"
  | "POST /api/tokens"
  | "DELETE /api/tokens/:id"
> = {
  "GET /api/users": async (context, { state }) => {
    const answer: User[] = (await state.users.list()).map(userView);
    return context.json(answer);
  },
  "POST /api/users": async (context, services) => {
    const { name, role } = await readBody(context, newUser);
    const lifeMs = services.config.console.signInLinkMinutes * MINUTE_MS;
    const link = { user: name, role, lifeMs };
    const made = await services.state.sessions.createLink(link, recordedBy(context, services));
    const answer: MadeLink = { token: made.token, expiresAt: isoTime(made.expiresMs) };
    return context.json(answer);
  },
  "PATCH /api/users/:name": async (context, services) => {
    const change = await readBody(context, userPatch);
    const name = pathPart(context, "name");
    // Nobody shuts themselves out by a slip of the hand, and so at least one administrator stays.
    if (name === context.get("identity").name)
      throw new ApiError("api.bad-request", "expected another user than yourself");
    const { role, disabled } = change;
    const wanted = {
      ...(role === undefined ? {} : { role }),
      ...(disabled === undefined ? {} : { disabled }),
    };
    return context.json(
      userView(await services.state.users.update(name, wanted, recordedBy(context, services))),
    );
  },
  "GET /api/tokens": async (context, { state }) => {
    const { page, limit } = readQuery(context, tokensQuery);
    const { items, total } = await state.tokens.list({ limit, offset: (page - 1) * limit });
    const answer: Tokens = { items: items.map(tokenView), total, page, limit, scopes: [...SCOPES] };
    return context.json(answer);
  },
  "POST /api/tokens": async (context, services) => {
    const { label, scopes, days } = await readBody(context, newToken);
    const strange = scopes.find((scope) => !SCOPES.includes(scope));
    if (strange !== undefined)
      throw new ApiError("api.bad-request", `body.scopes: expected some of ${SCOPES.join(", ")}`);
    const wanted = { label, scopes, creator: context.get("identity").actor, lifeMs: days * DAY_MS };
    const { secret, token } = await services.state.tokens.create(wanted, recordedBy(context, services));
    const answer: MadeToken = { secret, token: tokenView(token) };
    return context.json(answer);
  },
  "DELETE /api/tokens/:id": async (context, services) => {
    const token = await services.state.tokens.revoke(pathPart(context, "id"), recordedBy(context, services));
    return context.json(tokenView(token));
  },
};

function userView({ name, role, createdMs, disabledMs }: StoredUser): User {
  return { name, role, createdAt: isoTime(createdMs), disabledAt: isoTimeOrNull(disabledMs) };
}

function tokenView(token: StoredToken): Token {
  return {
    id: token.id,
    label: token.label,
    scopes: [...token.scopes],
    creator: token.creator,
    createdAt: isoTime(token.createdMs),
    expiresAt: isoTime(token.expiresMs),
    revokedAt: isoTimeOrNull(token.revokedMs),
    usedAt: isoTimeOrNull(token.usedMs),
  };
}
