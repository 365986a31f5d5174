/**
 * Cuts CSV text into rows (RFC 4180: quotes around cells, doubled inside). By hand, because a row that cannot
 * be cut must cost that row alone and be told with its line: after one, cutting goes on at the next line.
 */

/** One row, or a line at which none could be cut. */
export interface CsvRow {
  /** 1-based line at which the row begins. */
  readonly line: number;
  /** Characters of the row without its line end. */
  readonly length: number;
  /** Undefined: the row cannot be cut. */
  readonly cells: readonly string[] | undefined;
}

export interface CsvCutter {
  /** Rows that are whole with this piece of text. */
  push(text: string): CsvRow[];
  /** What is left at the end of the text. */
  end(): CsvRow[];
}

/** A cutter for one file. A row longer than `rowMax` characters cannot be cut: a quote is probably not closed. */
export function createCsvCutter(delimiter: string, rowMax: number): CsvCutter {
  let kept = "";
  let line = 1;

  function cut(text: string, last: boolean): CsvRow[] {
    const rows: CsvRow[] = [];
    let at = 0;
    while (at < text.length) {
      const lineEnd = endOfLine(text, at);
      if (lineEnd < 0 && !last && text.length - at <= rowMax) break;
      const plainEnd = lineEnd < 0 ? text.length : lineEnd;
      const row = cutRow(text, at, plainEnd, delimiter);
      if (row === "more" && !last && text.length - at <= rowMax) break;
      const good = row !== "more" && row !== "bad" && row.end - at <= rowMax;
      const end = good ? row.end : plainEnd;
      const content = withoutReturn(text, at, end);
      if (content > at) rows.push({ line, length: content - at, cells: good ? row.cells : undefined });
      line += good ? 1 + row.breaks : 1;
      at = end + 1;
    }
    kept = text.slice(at);
    return rows;
  }

  return {
    push: (text) => cut(kept + text, false),
    end: () => cut(kept, true),
  };
}

interface Cut {
  readonly cells: string[];
  /** Index of the line feed after the row, or the end of the text. */
  readonly end: number;
  /** Line feeds inside cells. */
  readonly breaks: number;
}

const QUOTE = '"';

function endOfLine(text: string, from: number): number {
  return text.indexOf("\n", from);
}

function withoutReturn(text: string, from: number, end: number): number {
  return end > from && text[end - 1] === "\r" ? end - 1 : end;
}

/** The row at `from`; `more` when a quote is open at the end of the text, `bad` when it cannot be cut. */
function cutRow(text: string, from: number, lineEnd: number, delimiter: string): Cut | "more" | "bad" {
  const firstQuote = text.indexOf(QUOTE, from);
  if (firstQuote < 0 || firstQuote >= lineEnd) {
    return { cells: text.slice(from, withoutReturn(text, from, lineEnd)).split(delimiter), end: lineEnd, breaks: 0 };
  }
  const cells: string[] = [];
  let at = from;
  let end = lineEnd;
  let breaks = 0;
  for (;;) {
    if (text[at] === QUOTE) {
      const close = closingQuote(text, at);
      if (close < 0) return "more";
      const cell = text.slice(at + 1, close).replaceAll('""', QUOTE);
      cells.push(cell);
      breaks += cell.split("\n").length - 1;
      at = close + 1;
      const next = endOfLine(text, at);
      end = next < 0 ? text.length : next;
      if (at === withoutReturn(text, at, end) || at === end) return { cells, end, breaks };
      if (text[at] !== delimiter) return "bad";
      at += 1;
      continue;
    }
    const stop = text.indexOf(delimiter, at);
    const content = withoutReturn(text, at, end);
    const cell = text.slice(at, stop < 0 || stop >= content ? content : stop);
    if (cell.includes(QUOTE)) return "bad";
    cells.push(cell);
    if (stop < 0 || stop >= content) return { cells, end, breaks };
    at = stop + 1;
  }
}

/** Index of the quote that closes the one at `open`, -1 when the text ends before. */
function closingQuote(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = text.indexOf(QUOTE, at);
    if (quote < 0) return -1;
    if (text[quote + 1] !== QUOTE) return quote;
    at = quote + 2;
  }
}
