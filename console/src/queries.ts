// What the screens ask for, how long an answer stays good, and how often it is asked again.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import * as accountsContract from "../../src/api/contract/accounts.ts";
import * as casesContract from "../../src/api/contract/cases.ts";
import * as exchangesContract from "../../src/api/contract/exchanges.ts";
import * as graphContract from "../../src/api/contract/finding-graph.ts";
import * as findingsContract from "../../src/api/contract/findings.ts";
import * as identitiesContract from "../../src/api/contract/identities.ts";
import * as ledgerContract from "../../src/api/contract/ledger.ts";
import * as operationsContract from "../../src/api/contract/operations.ts";
import * as peopleContract from "../../src/api/contract/people.ts";
import * as responseContract from "../../src/api/contract/response.ts";
import * as sessionContract from "../../src/api/contract/session.ts";
import { ApiFailure, get } from "./api.ts";

/** Live enough for a person, light enough for a server that a whole team looks at. */
const LIVE_MS = 10_000;
const segment = encodeURIComponent;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  /** Null when nobody is signed in. */
  queryFn: () =>
    get(sessionContract.session, "/api/session").catch((error: unknown) => {
      if (error instanceof ApiFailure && error.status === 401) return null;
      throw error;
    }),
  staleTime: 60_000,
});

type Loose<T> = { [Name in keyof T]?: T[Name] | undefined };

export const findingsQuery = (query: Loose<findingsContract.FindingsQuery>) =>
  queryOptions({
    queryKey: ["findings", query],
    queryFn: () => get(findingsContract.findingPage, "/api/findings", query),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  });

export const findingQuery = (id: string) =>
  queryOptions({
    queryKey: ["finding", id],
    queryFn: () => get(findingsContract.finding, `/api/findings/${segment(id)}`),
  });

/** Asked again when accounts were added to the finding. */
export const findingGraphQuery = ({ id, accounts }: Pick<findingsContract.Finding, "id" | "accounts">) =>
  queryOptions({
    queryKey: ["finding", id, "graph", accounts],
    queryFn: () => get(graphContract.findingGraph, `/api/findings/${segment(id)}/graph`),
  });

export const accountsQuery = (query: Loose<accountsContract.AccountsQuery>) =>
  queryOptions({
    queryKey: ["accounts", query],
    queryFn: () => get(accountsContract.accountPage, "/api/accounts", query),
    placeholderData: keepPreviousData,
  });

export const accountQuery = (account: string) =>
  queryOptions({
    queryKey: ["account", account],
    queryFn: () => get(accountsContract.account, `/api/accounts/${segment(account)}`),
  });

export const standingQuery = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "standing"],
    queryFn: () => get(identitiesContract.standing, `/api/accounts/${segment(account)}/standing`),
  });

export const organizationsQuery = (query: Loose<identitiesContract.OrganizationsQuery>) =>
  queryOptions({
    queryKey: ["organizations", query],
    queryFn: () => get(identitiesContract.organizationPage, "/api/organizations", query),
    placeholderData: keepPreviousData,
  });

export const organizationQuery = (organization: string) =>
  queryOptions({
    queryKey: ["organization", organization],
    queryFn: () => get(identitiesContract.organization, `/api/organizations/${segment(organization)}`),
  });

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: () => get(peopleContract.users, "/api/users"),
});

export const tokensQuery = (query: Loose<peopleContract.TokensQuery>) =>
  queryOptions({
    queryKey: ["tokens", query],
    queryFn: () => get(peopleContract.tokens, "/api/tokens", query),
    placeholderData: keepPreviousData,
  });

export const signInWaysQuery = queryOptions({
  queryKey: ["sign-in"],
  queryFn: () => get(peopleContract.signInWays, "/api/sign-in"),
});

export const exchangesQuery = (account: string, query: Loose<exchangesContract.ExchangesQuery>) =>
  queryOptions({
    queryKey: ["account", account, "exchanges", query],
    queryFn: () => get(exchangesContract.exchangePage, `/api/accounts/${segment(account)}/exchanges`, query),
    placeholderData: keepPreviousData,
  });

export const exchangeQuery = (id: string) =>
  queryOptions({
    queryKey: ["exchange", id],
    queryFn: () => get(exchangesContract.exchange, `/api/exchanges/${segment(id)}`),
  });

export const ledgerQuery = queryOptions({
  queryKey: ["ledger"],
  queryFn: () => get(ledgerContract.ledger, "/api/ledger"),
  refetchInterval: LIVE_MS,
});

export const recordsQuery = (query: Loose<ledgerContract.RecordsQuery>) =>
  queryOptions({
    queryKey: ["ledger", "records", query],
    queryFn: () => get(ledgerContract.ledgerRecords, "/api/ledger/records", query),
    placeholderData: keepPreviousData,
    // The end of the log moves; a page further back never changes.
    ...(query.before === undefined ? { refetchInterval: LIVE_MS } : { staleTime: Number.POSITIVE_INFINITY }),
  });

export const recordQuery = (index: number) =>
  queryOptions({
    queryKey: ["ledger", "record", index],
    queryFn: () => get(ledgerContract.ledgerProof, `/api/ledger/records/${index}`),
  });

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: () => get(operationsContract.health, "/api/health"),
  refetchInterval: LIVE_MS,
});

export const policyQuery = queryOptions({
  queryKey: ["policy"],
  queryFn: () => get(responseContract.policyInForce, "/api/policy"),
  staleTime: 60_000,
});

export const verdictsQuery = (query: Loose<responseContract.VerdictsQuery>) =>
  queryOptions({
    queryKey: ["verdicts", query],
    queryFn: () => get(responseContract.verdictPage, "/api/verdicts", query),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  });

export const verdictQuery = (id: string) =>
  queryOptions({
    queryKey: ["verdict", id],
    queryFn: () => get(responseContract.verdict, `/api/verdicts/${segment(id)}`),
    refetchInterval: LIVE_MS,
  });

export const appealsQuery = (query: Loose<responseContract.AppealsQuery>) =>
  queryOptions({
    queryKey: ["appeals", query],
    queryFn: () => get(responseContract.appealPage, "/api/appeals", query),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  });

export const casesQuery = queryOptions({
  queryKey: ["cases"],
  queryFn: () => get(casesContract.caseList, "/api/cases"),
  refetchInterval: LIVE_MS,
});

export const caseQuery = (id: string) =>
  queryOptions({
    queryKey: ["case", id],
    queryFn: () => get(casesContract.caseFile, `/api/cases/${segment(id)}`),
  });

export const approvalsQuery = queryOptions({
  queryKey: ["approvals"],
  queryFn: () => get(casesContract.approvalList, "/api/approvals"),
  refetchInterval: LIVE_MS,
});
