/** Object literals with properties that may be absent, under `exactOptionalPropertyTypes`. */

/** The same properties, each absent where its value may be undefined. */
export type Defined<T extends object> = { -readonly [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * Copies the properties of an object whose values are not undefined.
 *
 * @example
 * ```ts
 * const signal: AbortSignal | undefined = undefined;
 * const options = { follow: true, ...defined({ signal }) }; // { follow: true }
 * ```
 */
export function defined<T extends object>(properties: T): Defined<T> {
  const copy: Partial<T> = {};
  for (const key of Object.keys(properties) as (keyof T)[]) {
    if (properties[key] !== undefined) copy[key] = properties[key];
  }
  return copy as Defined<T>;
}
