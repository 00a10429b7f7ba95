// Where a key stands, and the button that ends it for those who may.
import type { ReactNode } from "react";
import { Badge } from "./badge.tsx";

/** `revoke`: null for people who may only look. */
export function KeyState({
  id,
  revokedAt,
  revoke,
}: {
  id: string;
  revokedAt: string | null;
  revoke: (() => Promise<void>) | null;
}): ReactNode {
  if (revokedAt !== null) return <Badge tone="quiet">revoked</Badge>;
  if (revoke === null) return <Badge tone="good">active</Badge>;
  return (
    <button type="button" className="button quiet" onClick={() => void revoke()}>
      Revoke {id}
    </button>
  );
}
