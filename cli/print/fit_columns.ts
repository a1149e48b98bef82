/** Columns of a table, of which the least important are left out when there is no room. */
import { cellWidth } from "../../text/columns.ts";

/** A column. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
}

/** The room of a table. */
export interface TableRoom {
  /** The heads of the columns to leave out, the least important first. */
  readonly dispensable: readonly string[];
  /** The cells of a line. */
  readonly width: number;
  /** The cells between two columns. */
  readonly gap: number;
  /** The least room for the last column, in cells. */
  readonly minLast: number;
}

/** Returns the columns that have room. The last one takes what the others leave. */
export function fitColumns<Row, Fitted extends Column<Row>>(
  columns: readonly Fitted[],
  rows: readonly Row[],
  { dispensable, width, gap, minLast }: TableRoom,
): readonly Fitted[] {
  const widths = new Map(
    columns.slice(0, -1).map(({ head, cell }) => [
      head,
      rows.reduce((max, row) => Math.max(max, cellWidth(cell(row))), cellWidth(head)) + gap,
    ]),
  );
  let needed = [...widths.values()].reduce((sum, one) => sum + one, minLast);
  let kept = columns;
  for (const head of dispensable) {
    if (needed <= width) break;
    needed -= widths.get(head) ?? 0;
    kept = kept.filter((column) => column.head !== head);
  }
  return kept;
}

/** Returns the cells of the table, with its head. */
export function cellsOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[][] {
  return [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
}
