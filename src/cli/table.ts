/** Plain tables for a terminal: columns as wide as their content, no frames. */

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/**
 * Lays rows out under their titles, two spaces between columns. Cells are plain text: colour a whole
 * line afterwards. Gives one string a line, without trailing spaces; empty when there are no rows.
 */
export function layoutTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const titles = columns.map((column) => column.title);
  const widths = columns.map((_, index) =>
    [titles, ...rows].reduce((widest, row) => Math.max(widest, (row[index] ?? "").length), 0),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? "";
        const width = widths[index] ?? 0;
        return column.align === "right" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const hasTitles = titles.some((title) => title !== "");
  return [...(hasTitles ? [line(titles)] : []), ...rows.map(line)];
}
