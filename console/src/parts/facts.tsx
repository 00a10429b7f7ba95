// Labelled values: facts in a list, figures in a row of tiles.
import type { ReactNode } from "react";
import { Untrusted } from "./untrusted.tsx";

export function Facts({
  items,
}: {
  items: readonly (readonly [name: string, value: ReactNode])[];
}): ReactNode {
  return (
    <dl className="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <span className="muted">unknown</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A fact in a table's cell. */
export function Known({ text }: { text: string | null }): ReactNode {
  return text === null ? <span className="muted">—</span> : <Untrusted text={text} />;
}

export function Tiles({
  items,
}: {
  items: readonly { readonly name: string; readonly value: ReactNode; readonly hint?: string }[];
}): ReactNode {
  return (
    <dl className="tiles">
      {items.map(({ name, value, hint }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {hint !== undefined && <dd className="hint">{hint}</dd>}
        </div>
      ))}
    </dl>
  );
}

export function Panel({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}): ReactNode {
  return (
    <section className="panel">
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
