/** How many connections each address has. */
import type { SocketAddress } from "../../compat/socket_address.ts";

/** Counts connections by the address they come from. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();
  readonly #max: number;

  /** @param max the most connections of one address */
  constructor(max: number) {
    this.#max = max;
  }

  /** Returns whether the address has the most connections it may have. */
  isFull(group: string): boolean {
    return (this.#counts.get(group) ?? 0) >= this.#max;
  }

  /** Counts a new connection. */
  add(group: string): void {
    this.#counts.set(group, (this.#counts.get(group) ?? 0) + 1);
  }

  /** Counts the end of a connection. */
  remove(group: string): void {
    const left = (this.#counts.get(group) ?? 0) - 1;
    if (left > 0) this.#counts.set(group, left);
    else this.#counts.delete(group);
  }
}

/**
 * Returns the key of an address for limits. For IPv6 it is the first half, the network: one host may use every address
 * of its network.
 */
export function addressGroup({ host }: SocketAddress): string {
  if (!host.includes(":") || host.startsWith("::ffff:")) return host.replace(/^::ffff:/, "");
  const [head = "", tail] = host.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  while (groups.length + rest.length < 8) groups.push("0");
  return [...groups, ...rest].slice(0, 4).join(":");
}
