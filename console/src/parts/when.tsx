// A moment, both ways people ask for it: how long ago, and exactly when in UTC.
import { type ReactNode, useEffect, useState } from "react";
import { relative, utc } from "../format.ts";

const TICK_MS = 30_000;

export function When({ at, stacked = false }: { at: string | null; stacked?: boolean }): ReactNode {
  const nowMs = useNow();
  if (at === null) return <span className="muted">—</span>;
  return (
    <time className={stacked ? "when stacked" : "when"} dateTime={at}>
      <span className="relative">{relative(at, nowMs)}</span>
      <span className="absolute">{utc(at)} UTC</span>
    </time>
  );
}

function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
