/** Finds a duplicate key in an object of a JSON text. JSON.parse() keeps the last value without an error. */

/** A key that an object has twice. */
export interface DuplicateKey {
  /** The path of the object, such as `roles.builder[0]`; empty for the outermost one. */
  readonly at: string;
  readonly key: string;
}

/** An object or a list that has not ended. */
interface Open {
  readonly path: string;
  /** The keys so far. Absent for a list. */
  readonly keys?: Set<string>;
  /** The latest key. */
  key: string;
  /** The index of the current item of a list. */
  index: number;
}

/** A string, or a structural character. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/**
 * Returns the first key that an object has twice.
 *
 * @param json a text that JSON.parse() accepts
 *
 * @example
 * ```ts
 * findDuplicateKey('{ "max": { "pids": 1, "pids": 2 } }'); // { at: "max", key: "pids" }
 * ```
 */
export function findDuplicateKey(json: string): DuplicateKey | undefined {
  const open: Open[] = [];
  let isKey = false;
  for (const [token] of json.matchAll(TOKEN)) {
    const current = open.at(-1);
    if (token === "{" || token === "[") {
      const path = current === undefined ? "" : pathInside(current);
      open.push({ path, key: "", index: 0, ...(token === "{" ? { keys: new Set<string>() } : {}) });
      isKey = token === "{";
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ",") {
      if (current !== undefined) current.index += 1;
      isKey = current?.keys !== undefined;
    } else if (token === ":") {
      isKey = false;
    } else if (isKey && current?.keys !== undefined) {
      // Two spellings can be one key: "a" and "\u0061".
      current.key = JSON.parse(token);
      if (current.keys.has(current.key)) return { at: current.path, key: current.key };
      current.keys.add(current.key);
    }
  }
  return undefined;
}

/** Returns the path of the value that begins inside an object or a list. */
function pathInside({ path, keys, key, index }: Open): string {
  if (keys === undefined) return `${path}[${index}]`;
  return path === "" ? key : `${path}.${key}`;
}
