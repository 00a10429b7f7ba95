// The mark of Adyton: a temple's front with its innermost door.
import type { ReactNode } from "react";

export function Logo({ size }: { size: number }): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} className="logo" aria-hidden="true">
      <path d="M6 27V12l10-6 10 6v15" fill="none" stroke="currentColor" strokeWidth="2.6" />
      <path d="M12.5 27v-8a3.5 3.5 0 0 1 7 0v8" fill="none" stroke="currentColor" strokeWidth="2.6" />
    </svg>
  );
}
