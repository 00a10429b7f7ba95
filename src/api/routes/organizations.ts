// Organisations and the changes that administrators make: facts, keys of clients, keys of end users.
import { unknownAccount } from "../../core/account.ts";
import type { EndUserKey } from "../../state/end-user-keys.ts";
import { endUserSecret } from "../../state/end-user-keys.ts";
import type { Organization as StoredOrganization } from "../../state/organizations.ts";
import { recordedBy } from "../acts.ts";
import type { Page } from "../contract/common.ts";
import {
  accountPut,
  type EndUserKey as EndUserKeyView,
  endUserKeyBody,
  keyBody,
  type MadeKey,
  type Organization,
  type OrganizationSummary,
  organizationPut,
  organizationsQuery,
} from "../contract/identities.ts";
import { ApiError } from "../errors.ts";
import { isoTime, isoTimeOrNull, msOrNull, pathPart, readBody, readQuery } from "../http.ts";
import type { ApiServices, Handlers } from "../services.ts";
import { standingOf } from "./standing.ts";

export const organizationHandlers: Handlers<
  | "GET /api/organizations"
  | "GET /api/organizations/:organization"
  | "PUT /api/organizations/:organization"
  | "POST /api/organizations/:organization/end-user-keys"
  | "DELETE /api/end-user-keys/:id"
> = {
  "GET /api/organizations": async (context, { state }) => {
    const { q: text, direction, page, limit } = readQuery(context, organizationsQuery);
    const offset = (page - 1) * limit;
    const { items, total } = await state.organizations.list({ text, direction, limit, offset });
    const counts = await state.organizations.accountCounts(items.map(({ organization }) => organization));
    const answer: Page<OrganizationSummary> = {
      items: items.map((each) => summaryOf(each, counts.get(each.organization) ?? 0)),
      total,
      page,
      limit,
    };
    return context.json(answer);
  },
  "GET /api/organizations/:organization": async (context, services) =>
    context.json(await whole(pathPart(context, "organization"), services)),
  "PUT /api/organizations/:organization": async (context, services) => {
    const organization = pathPart(context, "organization");
    const facts = await readBody(context, organizationPut);
    await services.state.organizations.put({ organization, ...facts }, recordedBy(context, services));
    return context.json(await whole(organization, services));
  },
  "POST /api/organizations/:organization/end-user-keys": async (context, services) => {
    const { expiresAt, ...body } = await readBody(context, endUserKeyBody);
    const master = services.endUserMaster;
    if (body.publicKey === null && master === undefined)
      throw new ApiError("api.not-available", "expected a process that holds the installation's key");
    const wanted = {
      ...body,
      organization: pathPart(context, "organization"),
      expiresAtMs: msOrNull(expiresAt),
    };
    const { id } = await services.state.endUserKeys.create(wanted, recordedBy(context, services));
    const isShared = body.publicKey === null && master !== undefined;
    const made: MadeKey = { id, secret: isShared ? endUserSecret(master, id).toString("base64url") : null };
    return context.json(made);
  },
  "DELETE /api/end-user-keys/:id": async (context, services) => {
    const key = await services.state.endUserKeys.revoke(
      pathPart(context, "id"),
      recordedBy(context, services),
    );
    return context.json(endUserKeyView(key));
  },
};

export const accountChangeHandlers: Handlers<
  "PUT /api/accounts/:account" | "POST /api/accounts/:account/keys" | "DELETE /api/keys/:id"
> = {
  /** Makes the account where it is new. */
  "PUT /api/accounts/:account": async (context, services) => {
    const name = pathPart(context, "account");
    const change = await readBody(context, accountPut);
    const how = recordedBy(context, services);
    const { accounts } = services.state;
    if ((await accounts.get(name)) === null) await accounts.ensure(unknownAccount(name), how);
    const defined = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    await accounts.update(name, defined, how);
    // As with a list: who is named there is on record here.
    const { organization } = change;
    if (typeof organization === "string") await services.state.organizations.put({ organization }, how);
    return context.json(null);
  },
  "POST /api/accounts/:account/keys": async (context, services) => {
    const { label, expiresAt } = await readBody(context, keyBody);
    const account = pathPart(context, "account");
    const wanted = { account, label, expiresAtMs: msOrNull(expiresAt) };
    const { id, secret } = await services.state.keys.create(wanted, recordedBy(context, services));
    const made: MadeKey = { id, secret };
    return context.json(made);
  },
  "DELETE /api/keys/:id": async (context, services) => {
    await services.state.keys.revoke(pathPart(context, "id"), recordedBy(context, services));
    return context.json(null);
  },
};

async function whole(name: string, { state }: ApiServices): Promise<Organization> {
  const organization = await state.organizations.demand(name);
  const [counts, keys, standing] = await Promise.all([
    state.organizations.accountCounts([name]),
    state.endUserKeys.list(name),
    standingOf(state, { kind: "organization", name }),
  ]);
  return {
    ...summaryOf(organization, counts.get(name) ?? 0),
    ...standing,
    recordedAt: isoTime(organization.recordedMs),
    endUserKeys: keys.map(endUserKeyView),
  };
}

function summaryOf(facts: StoredOrganization, accounts: number): OrganizationSummary {
  const { recordedMs: _recorded, updatedMs, ...rest } = facts;
  return { ...rest, accounts, updatedAt: isoTime(updatedMs) };
}

function endUserKeyView(key: EndUserKey): EndUserKeyView {
  return {
    id: key.id,
    algorithm: key.algorithm,
    label: key.label,
    createdAt: isoTime(key.createdMs),
    expiresAt: isoTimeOrNull(key.expiresMs),
    revokedAt: isoTimeOrNull(key.revokedMs),
  };
}
