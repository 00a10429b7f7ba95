// A secret that was just made. The server keeps a hash or nothing: when this is closed, nobody can read it again.
import type { ReactNode } from "react";

export function OnceShown({
  title,
  secret,
  close,
}: {
  title: string;
  secret: string;
  close: () => void;
}): ReactNode {
  return (
    <div className="notice once" role="status">
      <h2>{title}</h2>
      <p>
        <code className="secret">{secret}</code>
      </p>
      <p className="muted">Copy it now. It is shown this once and stored nowhere.</p>
      <button type="button" className="button" onClick={close}>
        I have kept it
      </button>
    </div>
  );
}
