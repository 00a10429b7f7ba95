// The fleet's picture as SVG: for the HTML report, and as a file of its own.
import type { FleetPicture } from "../fleet.ts";
import { escapeHtml } from "../visible-text.ts";
import { layOut } from "./fleet-layout.ts";

const number = (value: number): string => String(Math.round(value * 10) / 10);

/** A whole SVG document; every text is escaped. */
export function fleetSvg(picture: FleetPicture): string {
  const { width, height, texts, lines, dots } = layOut(picture);
  const drawn = [
    ...lines.map(
      ({ x1, y1, x2, y2, color }) =>
        `<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}" stroke="${color}" stroke-width="0.6"/>`,
    ),
    ...dots.map(({ x, y }) => `<circle cx="${number(x)}" cy="${number(y)}" r="2.6" fill="#1f3a5f"/>`),
    ...texts.map(
      ({ x, y, text, align, bold }) =>
        `<text x="${number(x)}" y="${number(y + 3)}" text-anchor="${align === "right" ? "end" : "start"}"${bold ? ' font-weight="bold"' : ""}>${escapeHtml(text)}</text>`,
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" width="${number(width)}" height="${number(height)}" role="img" aria-label="Accounts and what they share" font-family="DejaVu Sans, sans-serif" font-size="9" fill="#1b1f24">`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}
