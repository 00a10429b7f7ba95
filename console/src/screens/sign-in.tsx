// Turns a one-time link into a session. The token travels in the fragment, which no server or proxy log ever sees.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { session as sessionSchema } from "../../../src/api/contract/session.ts";
import { send } from "../api.ts";
import { Logo } from "../parts/logo.tsx";
import { sessionQuery, signInWaysQuery } from "../queries.ts";

export function SignInScreen(): ReactNode {
  const { next, token } = useSearch({ from: "/sign-in" });
  const queries = useQueryClient();
  const navigate = useNavigate();
  const session = useQuery(sessionQuery);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const tried = useRef<string | null>(null);

  const signIn = useCallback(
    async (secret: string): Promise<void> => {
      setBusy(true);
      setProblem(null);
      try {
        const made = await send(sessionSchema, "POST", "/api/session", { token: secret });
        // The question who is here, asked before, may still be on its way: its "nobody" must not arrive after this.
        await queries.cancelQueries({ queryKey: sessionQuery.queryKey });
        queries.setQueryData(sessionQuery.queryKey, made);
        await navigate({ href: safePlace(next), replace: true });
      } catch (error) {
        setProblem(error instanceof Error ? error.message : "Signing in failed.");
      } finally {
        setBusy(false);
      }
    },
    [navigate, next, queries],
  );

  useEffect(() => {
    const take = (): void => {
      if (location.hash === "#refused") {
        history.replaceState(null, "", location.pathname);
        setProblem(
          "The identity provider did not let you in, or you have no role here. Ask an administrator.",
        );
        return;
      }
      const secret = tokenIn(location.hash) ?? token;
      if (secret === undefined || secret === tried.current) return;
      tried.current = secret;
      // The link works once; the address must not keep it for the history or a screenshot.
      history.replaceState(null, "", location.pathname);
      void signIn(secret);
    };
    take();
    // A link that is pasted where this page is already open changes the fragment only.
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, [signIn, token]);

  if (session.data && !busy) return <Navigate to={safePlace(next)} replace />;
  return (
    <main className="sign-in">
      <h1>
        <Logo size={28} />
        Adyton
      </h1>
      {busy ? (
        <p role="status">Signing in…</p>
      ) : (
        <>
          <Provider />
          <LinkForm problem={problem} submit={signIn} />
        </>
      )}
    </main>
  );
}

/** The way through the identity provider, where one is configured. */
function Provider(): ReactNode {
  const { data } = useQuery(signInWaysQuery);
  if (data === undefined || data.provider === null) return null;
  return (
    <p>
      <a className="button primary" href="/api/sign-in/provider">
        Sign in with {data.provider}
      </a>
    </p>
  );
}

function LinkForm({
  problem,
  submit,
}: {
  problem: string | null;
  submit: (secret: string) => Promise<void>;
}): ReactNode {
  return (
    <>
      {problem !== null && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      <p>
        Signing in takes a one-time link. <code>adyton serve</code> prints one when it starts, and{" "}
        <code>adyton sign-in</code> makes another.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const typed = String(new FormData(event.currentTarget).get("link") ?? "").trim();
          void submit(tokenIn(typed) ?? typed);
        }}
      >
        <label>
          <span>Link or code</span>
          <input name="link" type="password" required maxLength={600} autoComplete="off" spellCheck={false} />
        </label>
        <button type="submit" className="button primary">
          Sign in
        </button>
      </form>
    </>
  );
}

/** From `#token=…` of a link, whole or only its end. */
function tokenIn(link: string): string | undefined {
  return /[#?&]token=([\w-]+)/.exec(link)?.[1];
}

/** Only places within this console: a link must not be able to send people elsewhere after they signed in. */
function safePlace(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : "/findings";
}
