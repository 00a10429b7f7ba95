// Sets the report's blocks as PDF, the same bytes for the same blocks and time.
import { createRequire } from "node:module";
import PdfDocument from "pdfkit";
import type { Block, Column } from "./blocks.ts";
import { grouped } from "./figures.ts";
import { FLEET_WIDTH, type FleetLayout, layOut } from "./fleet-layout.ts";
import { labelEvery, shade } from "./lanes.ts";

const MARGIN = 56;
const BODY = 9.5;
const SMALL = 7.8;
/** What stays free between two cells of a row. */
const CELL_GAP = 8;
/** A table of more columns is set smaller, so that names and times need no second line. */
const MOST_COLUMNS = 5;
const DENSE = 6.8;
const INK = "#1b1f24";
const FAINT = "#515b68";
const RULE = "#cfd5dd";
const BLUE = "#1f3a5f";

/** Fonts are embedded, so that the page looks the same everywhere. */
const require = createRequire(import.meta.url);
const REGULAR: string = require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
const BOLD: string = require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf");

/** @param atMs the document's date of creation, milliseconds since the epoch */
export async function renderPdf(
  title: string,
  blocks: readonly Block[],
  { atMs }: { atMs: number },
): Promise<Uint8Array> {
  const document = new PdfDocument({
    size: "A4",
    margins: { top: MARGIN, bottom: MARGIN + 14, left: MARGIN, right: MARGIN },
    bufferPages: true,
    lang: "en",
    displayTitle: true,
    info: {
      Title: title,
      Creator: "Adyton",
      Producer: "Adyton",
      CreationDate: new Date(atMs),
      ModDate: new Date(atMs),
    },
  });
  const pieces: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    document.on("data", (piece: Uint8Array) => pieces.push(piece));
    document.on("end", () => resolve());
    document.on("error", reject);
  });
  document.registerFont("regular", REGULAR).registerFont("bold", BOLD);
  const setter = new Setter(document);
  for (const [at, block] of blocks.entries()) {
    if (block.kind === "heading") setter.keepWithPicture(blocks.slice(at + 1, at + 3));
    setter.set(block);
  }
  setter.footers(title);
  document.end();
  await ended;
  return Buffer.concat(pieces);
}

class Setter {
  readonly #document: PDFKit.PDFDocument;

  constructor(document: PDFKit.PDFDocument) {
    this.#document = document;
  }

  get #width(): number {
    return this.#document.page.width - 2 * MARGIN;
  }

  get #bottom(): number {
    return this.#document.page.height - MARGIN - 14;
  }

  #font(
    size: number,
    { bold = false, color = INK }: { bold?: boolean; color?: string } = {},
  ): PDFKit.PDFDocument {
    return this.#document
      .font(bold ? "bold" : "regular")
      .fontSize(size)
      .fillColor(color);
  }

  /** A new page where less than `height` is left. */
  #room(height: number): void {
    if (this.#document.y + height > this.#bottom) this.#document.addPage();
  }

  /** A heading whose picture would not fit below it goes to the next page with it. */
  keepWithPicture(next: readonly Block[]): void {
    const found = next.find((block) => block.kind === "fleet");
    if (found?.kind === "fleet") this.#room(this.#fleetSize(layOut(found.picture)).height + 130);
  }

  #fleetSize({ height }: FleetLayout): { scale: number; height: number } {
    const free = this.#document.page.height - 2 * MARGIN - 60;
    const scale = Math.min(this.#width / FLEET_WIDTH, free / height);
    return { scale, height: height * scale };
  }

  #space(height: number): void {
    this.#document.y += height;
  }

  /** Characters that the font has no picture of are shown as boxes; records and HTML have them. */
  #paragraph(
    text: string,
    size: number,
    style: { bold?: boolean; color?: string; indent?: number } = {},
  ): void {
    const indent = style.indent ?? 0;
    this.#font(size, style).text(printable(text), MARGIN + indent, this.#document.y, {
      width: this.#width - indent,
      lineGap: 1.5,
    });
  }

  set(block: Block): void {
    switch (block.kind) {
      case "title":
        this.#paragraph(block.text, 19, { bold: true });
        this.#space(2);
        this.#paragraph(block.below, BODY, { color: FAINT });
        this.#space(10);
        break;
      case "heading":
        this.#heading(block.text);
        break;
      case "subheading":
        this.#room(60);
        this.#space(6);
        this.#paragraph(block.text, 10.5, { bold: true });
        this.#space(2);
        break;
      case "text":
        this.#paragraph(block.text, BODY);
        this.#space(5);
        break;
      case "notice":
        this.#notice(block.text);
        break;
      case "list":
        for (const [at, item] of block.items.entries())
          this.#item(block.numbered === true ? `${at + 1}.` : "•", item);
        this.#space(5);
        break;
      case "facts":
        this.#facts(block.rows);
        break;
      case "table":
        this.#table(block.columns, block.rows);
        break;
      case "quote":
        this.#quote(block.text, block.from);
        break;
      case "bars":
        this.#bars(block);
        break;
      case "lanes":
        this.#lanes(block);
        break;
      case "fleet":
        this.#fleet(block);
        break;
    }
  }

  /** The mark hangs before the text, so that further lines stand below the first. */
  #item(mark: string, text: string): void {
    const indent = mark === "•" ? 18 : 24;
    const height = this.#font(BODY).heightOfString(printable(text), {
      width: this.#width - indent,
      lineGap: 1.5,
    });
    this.#room(Math.min(height, 60));
    const { y } = this.#document;
    this.#font(BODY).text(mark, MARGIN + 8, y, { lineBreak: false });
    this.#document.y = y;
    this.#paragraph(text, BODY, { indent });
    this.#space(1);
  }

  #heading(text: string): void {
    this.#room(90);
    this.#space(10);
    this.#paragraph(text, 13, { bold: true });
    const y = this.#document.y + 1;
    this.#document
      .moveTo(MARGIN, y)
      .lineTo(MARGIN + this.#width, y)
      .lineWidth(0.7)
      .strokeColor(RULE)
      .stroke();
    this.#space(7);
  }

  #notice(text: string): void {
    const inner = this.#width - 20;
    const height = this.#font(BODY).heightOfString(printable(text), { width: inner, lineGap: 1.5 }) + 10;
    this.#room(height);
    const { y } = this.#document;
    this.#document.rect(MARGIN, y, this.#width, height).fill("#eef2f7");
    this.#document.rect(MARGIN, y, 3, height).fill(BLUE);
    this.#font(BODY).text(printable(text), MARGIN + 12, y + 5, { width: inner, lineGap: 1.5 });
    this.#document.y = y + height;
    this.#space(6);
  }

  #facts(rows: readonly (readonly [string, string])[]): void {
    for (const [name, value] of rows) {
      const nameWidth = 130;
      const valueWidth = this.#width - nameWidth - 8;
      const height = Math.max(
        this.#font(BODY).heightOfString(printable(value), { width: valueWidth }),
        this.#font(BODY).heightOfString(printable(name), { width: nameWidth }),
      );
      this.#room(height);
      const { y } = this.#document;
      this.#font(BODY, { color: FAINT }).text(printable(name), MARGIN, y, { width: nameWidth });
      this.#font(BODY).text(printable(value), MARGIN + nameWidth + 8, y, { width: valueWidth });
      this.#document.y = y + height + 2.5;
    }
    this.#space(5);
  }

  #table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const total = columns.reduce((sum, { width }) => sum + width, 0);
    const widths = columns.map(({ width }) => (width / total) * this.#width);
    const titles = columns.map(({ title }) => title);
    this.#row(titles, widths, columns, true);
    for (const row of rows) {
      if (this.#rowHeight(row, widths, false) + this.#document.y > this.#bottom) {
        this.#document.addPage();
        this.#row(titles, widths, columns, true);
      }
      this.#row(row, widths, columns, false);
    }
    this.#space(6);
  }

  #rowHeight(cells: readonly string[], widths: readonly number[], bold: boolean): number {
    const size = cells.length > MOST_COLUMNS ? DENSE : SMALL;
    this.#font(size, { bold });
    const heights = cells.map((cell, at) =>
      this.#document.heightOfString(printable(cell), { width: (widths[at] ?? 0) - CELL_GAP }),
    );
    return Math.max(...heights, size) + 4;
  }

  #row(cells: readonly string[], widths: readonly number[], columns: readonly Column[], bold: boolean): void {
    const height = this.#rowHeight(cells, widths, bold);
    this.#room(height + (bold ? 30 : 0));
    const { y } = this.#document;
    let x = MARGIN;
    for (const [at, cell] of cells.entries()) {
      const width = widths[at] ?? 0;
      const align = columns[at]?.right === true ? "right" : "left";
      const size = cells.length > MOST_COLUMNS ? DENSE : SMALL;
      this.#font(size, { bold }).text(printable(cell), x + 3, y + 2, { width: width - CELL_GAP, align });
      x += width;
    }
    const line = y + height;
    this.#document.moveTo(MARGIN, line).lineTo(MARGIN + this.#width, line);
    this.#document
      .lineWidth(bold ? 0.9 : 0.4)
      .strokeColor(RULE)
      .stroke();
    this.#document.y = line;
  }

  #quote(text: string, from: string): void {
    const inner = this.#width - 16;
    const height =
      this.#font(BODY).heightOfString(printable(text), { width: inner }) +
      this.#font(SMALL).heightOfString(printable(from), { width: inner }) +
      6;
    this.#room(Math.min(height, 300));
    const { y } = this.#document;
    this.#font(BODY).text(printable(text), MARGIN + 12, y + 2, { width: inner });
    this.#font(SMALL, { color: FAINT }).text(printable(from), MARGIN + 12, this.#document.y + 1, {
      width: inner,
    });
    const end = this.#document.y;
    if (end > y) this.#document.rect(MARGIN + 2, y, 2, end - y).fill("#b7c0cb");
    this.#document.y = end;
    this.#space(7);
  }

  #bars({ bars, caption }: Extract<Block, { kind: "bars" }>): void {
    const most = Math.max(1, ...bars.map(({ value }) => value));
    this.#room(Math.min(bars.length * 14 + 20, 260));
    this.#caption(caption);
    for (const { label, value } of bars) {
      this.#room(14);
      const { y } = this.#document;
      this.#font(SMALL).text(printable(label), MARGIN, y + 1, { width: 84, align: "right" });
      const width = (value / most) * (this.#width - 150);
      this.#document.rect(MARGIN + 92, y, Math.max(width, 0.5), 10).fill(BLUE);
      this.#font(SMALL).text(grouped(value), MARGIN + 96 + width, y + 1, { width: 54 });
      this.#document.y = y + 13;
    }
    this.#space(8);
  }

  #lanes({ columns, rows, caption }: Extract<Block, { kind: "lanes" }>): void {
    const [labels, height] = [118, 10];
    const cell = Math.min(32, (this.#width - labels) / columns.length);
    const every = labelEvery(columns.length);
    this.#room(rows.length * height + 34);
    this.#caption(caption);
    const top = this.#document.y;
    const x = (column: number): number => MARGIN + labels + column * cell;
    for (const [at, label] of columns.entries())
      if (at % every === 0)
        this.#font(6.4, { color: FAINT }).text(printable(label), x(at), top, { lineBreak: false });
    for (const [row, { label, values }] of rows.entries()) {
      const y = top + (row + 1) * height;
      this.#font(6.8).text(printable(label), MARGIN, y + 1, {
        width: labels - 6,
        align: "right",
        lineBreak: false,
      });
      for (const [at, value] of values.entries())
        this.#document
          .rect(x(at), y, cell - 1, height - 1)
          .fillOpacity(shade(value, rows))
          .fill(BLUE);
      this.#document.fillOpacity(1);
    }
    this.#document.y = top + (rows.length + 1) * height;
    this.#space(8);
  }

  #caption(text: string): void {
    this.#space(2);
    this.#paragraph(text, SMALL, { color: FAINT });
    this.#space(4);
  }

  #fleet({ picture, caption }: Extract<Block, { kind: "fleet" }>): void {
    const layout = layOut(picture);
    const { texts, lines, dots } = layout;
    const { scale, height } = this.#fleetSize(layout);
    this.#room(height + 24);
    const top = this.#document.y;
    const x = (value: number): number => MARGIN + value * scale;
    const y = (value: number): number => top + value * scale;
    this.#document.lineWidth(0.4);
    for (const { x1, y1, x2, y2, color } of lines)
      this.#document.moveTo(x(x1), y(y1)).lineTo(x(x2), y(y2)).stroke(color);
    for (const dot of dots) this.#document.circle(x(dot.x), y(dot.y), 2).fill(BLUE);
    const size = 7.6 * scale;
    for (const text of texts) {
      const width = 200 * scale;
      const left = text.align === "right" ? x(text.x) - width : x(text.x);
      this.#font(size, { bold: text.bold }).text(printable(text.text), left, y(text.y) - size * 0.6, {
        width,
        align: text.align,
        lineBreak: false,
      });
    }
    this.#document.y = top + height;
    this.#caption(caption);
    this.#space(4);
  }

  /** Page numbers, once all pages are there. */
  footers(title: string): void {
    const { start, count } = this.#document.bufferedPageRange();
    for (let page = start; page < start + count; page++) {
      this.#document.switchToPage(page);
      const y = this.#document.page.height - MARGIN + 8;
      // Text below the margin would begin a new page.
      this.#document.page.margins.bottom = 0;
      this.#font(7, { color: FAINT }).text(printable(title), MARGIN, y, {
        width: this.#width * 0.8,
        lineBreak: false,
        ellipsis: true,
      });
      this.#font(7, { color: FAINT }).text(`${page - start + 1} / ${count}`, MARGIN, y, {
        width: this.#width,
        align: "right",
      });
    }
  }
}

/** DejaVu holds Latin, Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian and signs; the rest becomes a box. */
function printable(text: string): string {
  return text.replace(/[^\n\u0020-\u06ff\u10a0-\u10ff\u1d00-\u2bff\ufb00-\ufb4f]/gu, "\u25af");
}
