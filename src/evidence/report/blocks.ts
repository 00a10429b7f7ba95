// The report for people as a list of blocks, which HTML and PDF set each in its way. All text is shown as text only.
import type { FleetPicture } from "../fleet.ts";

export type Block =
  | { readonly kind: "title"; readonly text: string; readonly below: string }
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "subheading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  /** A remark set apart: what must not be overlooked. */
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[]; readonly numbered?: boolean }
  | { readonly kind: "facts"; readonly rows: readonly (readonly [name: string, value: string])[] }
  | {
      readonly kind: "table";
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly string[])[];
    }
  /** Somebody's words, with where they are from. */
  | { readonly kind: "quote"; readonly text: string; readonly from: string }
  | { readonly kind: "bars"; readonly caption: string; readonly bars: readonly Bar[] }
  | {
      readonly kind: "lanes";
      readonly caption: string;
      /** One for each column. */
      readonly columns: readonly string[];
      readonly rows: readonly Lane[];
    }
  | { readonly kind: "fleet"; readonly caption: string; readonly picture: FleetPicture };

export interface Column {
  readonly title: string;
  /** Share of the width, relative to the other columns. */
  readonly width: number;
  readonly right?: boolean;
}

export interface Lane {
  readonly label: string;
  /** As many as there are columns; 0 stays white, the largest of all rows is darkest. */
  readonly values: readonly number[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
}
