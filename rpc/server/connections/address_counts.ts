/** How many connections each address has. */
import type { SocketAddress } from "../../compat/socket_address.ts";

/** Counts connections by the address they come from. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();
  readonly #max: number;

  /** @param max Connections of one address */
  constructor(max: number) {
    this.#max = max;
  }

  isFull(group: string): boolean {
    return (this.#counts.get(group) ?? 0) >= this.#max;
  }

  add(group: string): void {
    this.#counts.set(group, (this.#counts.get(group) ?? 0) + 1);
  }

  remove(group: string): void {
    const left = (this.#counts.get(group) ?? 0) - 1;
    if (left > 0) this.#counts.set(group, left);
    else this.#counts.delete(group);
  }
}

/** The name of an address for limits: of IPv6 the first half, because each host has all addresses of one network. */
export function groupOf({ host }: SocketAddress): string {
  if (!host.includes(":") || host.startsWith("::ffff:")) return host.replace(/^::ffff:/, "");
  const [head = "", tail] = host.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  while (groups.length + rest.length < 8) groups.push("0");
  return [...groups, ...rest].slice(0, 4).join(":");
}
