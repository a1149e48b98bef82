/** Growth of logs that is not reported yet. A newer report of a log replaces the older one. */
import type { LogState } from "../link.ts";
import type { GrowthReport } from "./messages.ts";

/** The growth of logs that is not reported yet, at most one report for each log. */
export class GrowthReports {
  readonly #ranges = new Map<string, Pick<LogState, "start" | "end">>();

  /** Adds a report. */
  add(id: string, { start, end }: Pick<LogState, "start" | "end">): void {
    this.#ranges.set(id, { start, end });
  }

  /** Takes the report of one log. */
  take(id: string): readonly GrowthReport[] {
    const range = this.#ranges.get(id);
    if (range === undefined) return [];
    this.#ranges.delete(id);
    return [{ id, ...range }];
  }

  /** Takes all reports. */
  takeAll(): readonly GrowthReport[] {
    if (this.#ranges.size === 0) return [];
    const reports = [...this.#ranges].map(([id, range]) => ({ id, ...range }));
    this.#ranges.clear();
    return reports;
  }
}
