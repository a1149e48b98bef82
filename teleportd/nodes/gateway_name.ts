/** The name of every gateway. */

/** The name in the certificate of every gateway. Its address may change, and no public authority signs this name. */
export const GATEWAY_NAME = "gateway.teleport.internal";
