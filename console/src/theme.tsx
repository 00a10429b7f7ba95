// Light or dark: the system's choice until the reader makes their own, which this browser remembers.
import { createContext, type ReactNode, use, useEffect, useState } from "react";

type Theme = "light" | "dark";
const STORAGE = "adyton-theme";

const ThemeContext = createContext<Theme>("light");
const SwitchContext = createContext<() => void>(() => {});

export function ThemeProvider({ children }: { children: ReactNode }): ReactNode {
  const [system, setSystem] = useState<Theme>(systemTheme);
  const [chosen, setChosen] = useState<Theme | null>(storedTheme);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = (): void => setSystem(systemTheme());
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  const theme = chosen ?? system;
  document.documentElement.dataset["theme"] = theme;
  const change = (): void => {
    const next = theme === "dark" ? "light" : "dark";
    localStorage.setItem(STORAGE, next);
    setChosen(next);
  };
  return (
    <ThemeContext value={theme}>
      <SwitchContext value={change}>{children}</SwitchContext>
    </ThemeContext>
  );
}

export function useTheme(): Theme {
  return use(ThemeContext);
}

export function ThemeSwitch(): ReactNode {
  const theme = useTheme();
  const change = use(SwitchContext);
  return (
    <button type="button" className="button quiet" onClick={change}>
      {theme === "dark" ? "Light" : "Dark"} theme
    </button>
  );
}

function systemTheme(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function storedTheme(): Theme | null {
  const stored = localStorage.getItem(STORAGE);
  return stored === "light" || stored === "dark" ? stored : null;
}
