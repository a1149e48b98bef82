/** `teleport info`: prints the server's version, limits, isolation, cgroups and disk use. */
import type { Command } from "commander";
import type { InfoResponse } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { formatDuration } from "../../base/number_text.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { enumName, rfc3339 } from "../print/message_json.ts";
import { formatBytes } from "../print/size_text.ts";
import { formatRows } from "../print/status_text.ts";

export const declare: Declare = (command, runner) => {
  command.action(async (_flags: unknown, self: Command) => {
    await runner.call(self, info);
  });
};

async function info({ calls, print }: Context): Promise<number> {
  const answer = await calls.Info({}, { deadlineMs: CALL_DEADLINE_MS });
  await (print.isJson ? print.jsonLine(infoJson(answer)) : print.line(formatRows(infoRows(answer)).join("\n")));
  return EXIT_CODE.OK;
}

function infoRows(info: InfoResponse): [string, string][] {
  const { disk_bytes, max_disk_bytes, free_disk_bytes, jobs, running_jobs } = info;
  const disk = [
    `${formatBytes(disk_bytes)} used`,
    ...(max_disk_bytes === undefined ? [] : [`${formatBytes(max_disk_bytes)} at most`]),
    ...(free_disk_bytes === undefined ? [] : [`${formatBytes(free_disk_bytes)} free`]),
  ];
  return [
    ["Version", escapeTerminal(`${info.version} (Deno ${info.runtime_version})`)],
    ["Started", info.started_at === null ? "" : rfc3339(info.started_at)],
    ["Uptime", formatDuration(info.uptime_ms - info.uptime_ms % 1000)],
    ["Jobs", jobs === undefined ? "" : `${jobs}, ${running_jobs ?? 0} running`],
    ["Disk", disk.join(", ")],
    ...info.isolations.map(({ isolation, unavailable }, index): [string, string] => [
      index === 0 ? "Isolation" : "",
      `${enumName(isolation).toLowerCase()}: ${unavailable === "" ? "yes" : `no, ${escapeTerminal(unavailable)}`}`,
    ]),
    ["Cgroups", escapeTerminal(info.cgroup_text)],
    ...info.limits.map(({ name, value }, index): [string, string] => [
      index === 0 ? "Limits" : "",
      escapeTerminal(`${name}: ${limitText(name, value)}`),
    ]),
  ];
}

function limitText(name: string, value: number): string {
  if (name.endsWith("_ms")) return formatDuration(value);
  return name.endsWith("_bytes") ? formatBytes(value) : String(value);
}

function infoJson({ started_at, isolations, ...info }: InfoResponse): Record<string, unknown> {
  return {
    ...info,
    started_at: started_at && rfc3339(started_at),
    isolations: isolations.map(({ isolation, unavailable }) => ({ isolation: enumName(isolation), unavailable })),
    limits: Object.fromEntries(info.limits.map(({ name, value }) => [name, value])),
  };
}
