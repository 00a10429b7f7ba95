// The frame around every screen: where one can go, who is signed in, and whether the system is well.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Navigate, Outlet, useRouter, useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { RouterProvider as AriaRouter } from "react-aria-components";
import { session as sessionSchema } from "../../../src/api/contract/session.ts";
import { send } from "../api.ts";
import { Logo } from "../parts/logo.tsx";
import { Failed } from "../parts/states.tsx";
import { healthQuery, sessionQuery } from "../queries.ts";
import { useMay } from "../session.ts";
import { ThemeSwitch } from "../theme.tsx";

const PLACES = [
  { to: "/findings", name: "Findings" },
  { to: "/accounts", name: "Accounts" },
  { to: "/organizations", name: "Organizations" },
  { to: "/verdicts", name: "Verdicts" },
  { to: "/appeals", name: "Appeals" },
  { to: "/cases", name: "Cases" },
  { to: "/ledger", name: "Ledger" },
] as const;
/** Only administrators find anything there. */
const ADMIN_PLACES = [
  { to: "/people", name: "People" },
  { to: "/tokens", name: "Tokens" },
] as const;
const ALL_PLACES = [...PLACES, ...ADMIN_PLACES];

export function Shell(): ReactNode {
  const router = useRouter();
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const session = useQuery(sessionQuery);
  useEffect(() => {
    const place = ALL_PLACES.find(({ to }) => pathname.startsWith(to));
    document.title = `${place?.name ?? "Sign in"} · Adyton`;
  }, [pathname]);
  if (pathname === "/sign-in") return <Outlet />;
  if (session.isPending) return null;
  if (session.isError && session.data === undefined) {
    return <Failed error={session.error} what="the session" retry={() => void session.refetch()} />;
  }
  if (!session.data) return <Navigate to="/sign-in" search={{ next: router.state.location.href }} replace />;
  return (
    <AriaRouter navigate={(href) => void router.navigate({ href })}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <div className="shell">
        <Sidebar name={session.data.user.name} role={session.data.user.role} />
        <div className="stage">
          <HealthBanner />
          <main id="main" tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
    </AriaRouter>
  );
}

function Sidebar({ name, role }: { name: string; role: string }): ReactNode {
  const queries = useQueryClient();
  const mayAdminister = useMay("admin");
  const signOut = async (): Promise<void> => {
    await send(sessionSchema.nullable(), "DELETE", "/api/session", undefined).catch(() => null);
    queries.setQueryData(sessionQuery.queryKey, null);
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
  };
  return (
    <div className="sidebar">
      <Link to="/findings" className="brand" aria-label="Adyton, to the findings">
        <Logo size={22} />
        Adyton
      </Link>
      <nav aria-label="Main">
        {(mayAdminister ? ALL_PLACES : PLACES).map(({ to, name: label }) => (
          <Link key={to} to={to} className="place" activeProps={{ "aria-current": "page" }}>
            {label}
          </Link>
        ))}
      </nav>
      <div className="who">
        <span>
          {name} <span className="muted">· {role}</span>
        </span>
        <span className="buttons">
          <ThemeSwitch />
          <button type="button" className="button quiet" onClick={() => void signOut()}>
            Sign out
          </button>
        </span>
      </div>
    </div>
  );
}

/** Silent while all is well. */
function HealthBanner(): ReactNode {
  const { data, isError } = useQuery(healthQuery);
  const ill = data?.components.filter(({ ok }) => !ok) ?? [];
  if (isError) {
    return (
      <div className="banner" role="status">
        The server does not answer. What you see may be out of date.
      </div>
    );
  }
  if (ill.length === 0) return null;
  return (
    <div className="banner" role="status">
      {ill.map(({ name, message }) => (
        <p key={name}>
          <strong>{name}</strong>: {message}
        </p>
      ))}
    </div>
  );
}

export function NotFound(): ReactNode {
  return (
    <div className="notice">
      <h1>There is nothing at this address</h1>
      <p>
        Go to the <Link to="/findings">findings</Link>.
      </p>
    </div>
  );
}
