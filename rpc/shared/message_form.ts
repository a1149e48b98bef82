/** The form of messages in this program, on both sides of the wire. */

/** The full name of the service. */
export const SERVICE_NAME = "teleport.v1.JobWorker";

/**
 * The form of the generated types: 64-bit numbers as numbers, enums as names, absent messages as null. Every field is
 * present except the optional ones.
 */
export const CONVERSION = { longs: Number, enums: String, defaults: true };
