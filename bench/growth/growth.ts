/** How measured values grow with a size: a table, the exponent of each column, and the first limit. */

/** One table. */
export interface Growth {
  readonly title: string;
  /** The name of the size, such as "jobs". */
  readonly size: string;
  /** The names of the values, with their units. */
  readonly columns: readonly string[];
  readonly rows: readonly GrowthRow[];
  /** The first limit that is met, with its error. */
  readonly limits: readonly string[];
  /** The way of the measurement, and the parts that are simulated. */
  readonly notes: readonly string[];
}

/** The values of one size. A value that was not measured is undefined. */
export interface GrowthRow {
  readonly size: number;
  readonly values: readonly (number | undefined)[];
}

type Point = readonly [size: number, value: number];

/**
 * Returns the exponent of a power law through points: the slope of the line with the least squares in a diagram of
 * logarithms. 0 is constant, 1 is linear. NaN with fewer than two points.
 */
export function exponent(points: readonly Point[]): number {
  const logs = points.filter(([size, value]) => size > 0 && value > 0).map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (index: 0 | 1) => logs.reduce((sum, point) => sum + (point[index] ?? NaN), 0) / logs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [x = NaN, y = NaN] of logs) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return logs.length < 2 ? NaN : above / below;
}

/** A value with three digits. */
function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  const abs = Math.abs(value);
  return value.toFixed(abs >= 100 ? 0 : abs >= 10 ? 1 : 2);
}

/** Returns a table and its sentences as Markdown. */
export function growthMarkdown({ title, size, columns, rows, limits, notes }: Growth): string {
  const points = columns.map((_, column) =>
    rows.flatMap((row): Point[] => {
      const value = row.values[column];
      return value === undefined ? [] : [[row.size, value]];
    })
  );
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");
  return [
    `## ${title}`,
    [
      line([size, ...columns]),
      line(["---:", ...columns.map(() => "---:")]),
      ...rows.map((row) =>
        line([row.size.toLocaleString("en"), ...columns.map((_, index) => digits(row.values[index]))])
      ),
      line(["exponent, all rows", ...points.map((all) => digits(exponent(all)))]),
      line(["exponent, last step", ...points.map((all) => digits(exponent(all.slice(-2))))]),
    ].join("\n"),
    `First limits:\n\n${list(limits)}`,
    `Notes:\n\n${list(notes)}`,
  ].join("\n\n");
}
