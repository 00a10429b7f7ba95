// The address bar is the whole state of a view: every filter, sort, page, tab and opened row is parsed from it here.
import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { z } from "zod";
import { ENDINGS } from "../../src/api/contract/exchanges.ts";
import { FINDING_KINDS, FINDING_STATUSES } from "../../src/api/contract/findings.ts";
import { RECORD_KINDS } from "../../src/api/contract/ledger.ts";
import { APPEAL_STATUSES, MEASURES, VERDICT_STATUSES } from "../../src/api/contract/response.ts";
import { AccountScreen } from "./screens/account.tsx";
import { AccountsScreen } from "./screens/accounts.tsx";
import { AppealsScreen } from "./screens/appeals.tsx";
import { CaseScreen } from "./screens/case.tsx";
import { CasesScreen } from "./screens/cases.tsx";
import { FindingScreen } from "./screens/finding.tsx";
import { FindingsScreen } from "./screens/findings.tsx";
import { LedgerScreen } from "./screens/ledger.tsx";
import { OrganizationScreen } from "./screens/organization.tsx";
import { OrganizationsScreen } from "./screens/organizations.tsx";
import { PeopleScreen } from "./screens/people.tsx";
import { NotFound, Shell } from "./screens/shell.tsx";
import { SignInScreen } from "./screens/sign-in.tsx";
import { TokensScreen } from "./screens/tokens.tsx";
import { VerdictScreen } from "./screens/verdict.tsx";
import { VerdictsScreen } from "./screens/verdicts.tsx";

// A mistyped or outdated address falls back to the plain view instead of an error.
const text = z.string().max(200).optional().catch(undefined);
const page = z.number().int().positive().optional().catch(undefined);
const place = z.number().int().nonnegative().optional().catch(undefined);
const direction = z.enum(["asc", "desc"]).optional().catch(undefined);
const choice = <Value extends string>(values: readonly Value[]) => z.enum(values).optional().catch(undefined);

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/findings" });
  },
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: z.object({ next: text, token: text }),
  component: SignInScreen,
});

const findings = createRoute({
  getParentRoute: () => root,
  path: "/findings",
  validateSearch: z.object({
    status: choice(FINDING_STATUSES),
    kind: choice(FINDING_KINDS),
    q: text,
    sort: choice(["time", "accounts", "evidence", "detector"]),
    direction,
    page,
  }),
  component: FindingsScreen,
});

const finding = createRoute({
  getParentRoute: () => root,
  path: "/findings/$id",
  validateSearch: z.object({ tab: choice(["accounts", "exchanges"]), exchange: text }),
  component: FindingScreen,
});

const accounts = createRoute({
  getParentRoute: () => root,
  path: "/accounts",
  validateSearch: z.object({
    q: text,
    sort: choice(["account", "created", "exchanges", "last", "unusual"]),
    direction,
    page,
  }),
  component: AccountsScreen,
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/accounts/$account",
  validateSearch: z.object({
    tab: choice(["exchanges", "findings", "keys", "standing"]),
    ending: choice(ENDINGS),
    page,
    exchange: text,
  }),
  component: AccountScreen,
});

const organizations = createRoute({
  getParentRoute: () => root,
  path: "/organizations",
  validateSearch: z.object({ q: text, direction, page }),
  component: OrganizationsScreen,
});

const organization = createRoute({
  getParentRoute: () => root,
  path: "/organizations/$organization",
  component: OrganizationScreen,
});

const people = createRoute({ getParentRoute: () => root, path: "/people", component: PeopleScreen });

const tokens = createRoute({
  getParentRoute: () => root,
  path: "/tokens",
  validateSearch: z.object({ page }),
  component: TokensScreen,
});

const ledger = createRoute({
  getParentRoute: () => root,
  path: "/ledger",
  validateSearch: z.object({ kind: choice(RECORD_KINDS), act: text, before: place, record: place }),
  component: LedgerScreen,
});

const verdicts = createRoute({
  getParentRoute: () => root,
  path: "/verdicts",
  validateSearch: z.object({
    status: choice([...VERDICT_STATUSES, "live"]),
    measure: choice(MEASURES),
    finding: text,
    account: text,
    page,
  }),
  component: VerdictsScreen,
});

const verdict = createRoute({
  getParentRoute: () => root,
  path: "/verdicts/$id",
  component: VerdictScreen,
});

const appeals = createRoute({
  getParentRoute: () => root,
  path: "/appeals",
  validateSearch: z.object({ status: choice(APPEAL_STATUSES), page }),
  component: AppealsScreen,
});

const cases = createRoute({ getParentRoute: () => root, path: "/cases", component: CasesScreen });

const oneCase = createRoute({ getParentRoute: () => root, path: "/cases/$id", component: CaseScreen });

const tree = root.addChildren([
  index,
  signIn,
  findings,
  finding,
  accounts,
  account,
  organizations,
  organization,
  people,
  tokens,
  verdicts,
  verdict,
  appeals,
  cases,
  oneCase,
  ledger,
]);

export function createConsoleRouter() {
  return createRouter({ routeTree: tree, defaultPreload: false, scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
