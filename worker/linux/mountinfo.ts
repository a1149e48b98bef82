/** Paths in the mount tables of /proc: proc_pid_mountinfo(5). */

/** Decodes a path, in which spaces, tabs, line feeds and backslashes are octal. */
export function decodeMountPath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
