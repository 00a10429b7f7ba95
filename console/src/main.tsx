// Starts the console. The first thing it does is to forbid the browser to make HTML out of strings.
// First: it must be evaluated before the first schema is made.
import "./without-eval.ts";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiFailure } from "./api.ts";
import { sessionQuery } from "./queries.ts";
import { createConsoleRouter } from "./router.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/tables.css";
import "./styles/forms.css";
import "./styles/content.css";
import "./styles/graph.css";
import { ThemeProvider } from "./theme.tsx";
import { lockDownHtml } from "./trusted-types.ts";

lockDownHtml();
const RETRIES = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays one; only a server that did not answer is asked again.
      retry: (failures, error) => failures < RETRIES && error instanceof ApiFailure && error.status === 0,
    },
  },
});
queries.getQueryCache().subscribe(({ type, query }) => {
  const { error } = query.state;
  const expired = type === "updated" && error instanceof ApiFailure && error.status === 401;
  if (expired) queries.setQueryData(sessionQuery.queryKey, null);
});

const root = document.getElementById("root");
if (root === null) throw new Error("expected an element #root in the page, got none");
createRoot(root).render(
  <StrictMode>
    <ThemeProvider>
      <QueryClientProvider client={queries}>
        <RouterProvider router={createConsoleRouter()} />
      </QueryClientProvider>
    </ThemeProvider>
  </StrictMode>,
);
