/** `certs show`: shows the contents of a certificate. */
import type { Command } from "commander";
import { jsonLine } from "../../text/unprintable.ts";
import { addCommand, type CommonFlags, isJson } from "../options.ts";
import { listedJson, showText } from "../report.ts";
import type { Tool } from "../tool.ts";

/** Adds the command to the program. */
export function addShow(program: Command, tool: Tool): void {
  addCommand(program, "show", "show the contents of a certificate")
    .usage("[OPTIONS] NAME|FILE")
    .argument("NAME", 'a user, "server", "ca", or the path of a file')
    .action(async (name: string, flags: CommonFlags) => {
      const { showCertificate } = await import("../list.ts");
      for (const one of await showCertificate(tool.directory(flags), name)) {
        tool.print(isJson(flags) ? jsonLine(listedJson(one)) : showText(one));
      }
    });
}
