/** Fields of requests that are defined and that this server does not support yet. */
import { quote } from "../../base/quote.ts";
import { NotEnforceableError } from "../../mod.ts";

/**
 * Refuses a request with a field that this server does not support. To ignore the field would do something else than the
 * client wants.
 *
 * @throws {NotEnforceableError} when one of the fields was sent
 */
export function refuseFields<Request extends object>(
  request: Request,
  names: readonly (keyof Request & string)[],
): void {
  const name = names.find((name) => ![undefined, null, "", false].includes(request[name] as undefined));
  if (name === undefined) return;
  throw new NotEnforceableError(`Cannot use the field ${quote(name)} here: this server does not support it yet`);
}
