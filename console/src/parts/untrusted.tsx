// Shows text that an attacker may have written: as text only, with invisible and reordering characters named.
import { type ReactNode, useMemo, useState } from "react";
import { visiblePieces } from "../visible-text.ts";

/** Characters shown before the reader asks for the rest: a megabyte of prompt must not freeze the page. */
const SHOWN_FIRST = 20_000;

/** A short value within a line: a model's name, a header, an account. */
export function Untrusted({ text }: { text: string }): ReactNode {
  return (
    <bdi className="untrusted">
      <Pieces text={text} />
    </bdi>
  );
}

/** A body: lines kept, its beginning first when it is long. */
export function UntrustedBlock({ text, label }: { text: string; label: string }): ReactNode {
  const [all, setAll] = useState(false);
  const long = !all && text.length > SHOWN_FIRST;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard. */}
      <section className="untrusted block" aria-label={label} tabIndex={0} dir="auto">
        {text === "" ? (
          <span className="muted">(empty)</span>
        ) : (
          <Pieces text={long ? text.slice(0, SHOWN_FIRST) : text} />
        )}
      </section>
      {long && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          Show the remaining {(text.length - SHOWN_FIRST).toLocaleString("en")} characters
        </button>
      )}
    </>
  );
}

function Pieces({ text }: { text: string }): ReactNode {
  const pieces = useMemo(() => visiblePieces(text), [text]);
  return pieces.map((piece, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place, and never move.
    if (piece.kind === "text") return <span key={index}>{piece.text}</span>;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above.
      <span key={index} className="control-character" title={piece.title}>
        {piece.label}
        {piece.count > 1 && `×${piece.count}`}
      </span>
    );
  });
}
