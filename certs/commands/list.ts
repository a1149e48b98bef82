/** `certs list`: shows the certificates of a directory. */
import type { Command } from "commander";
import { jsonLine } from "../../text/unprintable.ts";
import { addCommand, type CommonFlags, isJson } from "../options.ts";
import { listedJson, listText } from "../report.ts";
import type { Tool } from "../tool.ts";

/** Adds the command to the program. */
export function addList(program: Command, tool: Tool): void {
  addCommand(program, "list", "show the certificates of the directory, their state and their end")
    .action(async (flags: CommonFlags) => {
      const { listCertificates } = await import("../list.ts");
      const listed = await listCertificates(tool.directory(flags));
      if (isJson(flags)) { for (const one of listed) tool.print(jsonLine(listedJson(one))); }
      else tool.print(listText(listed));
    });
}
