/** The purposes of certificates (extended key usage). */

/** The side of a connection for which a certificate is valid. */
export type Purpose = "server" | "client";

/** The object identifiers of the purposes (RFC 5280, section 4.2.1.12). */
export const PURPOSE: Readonly<Record<Purpose, string>> = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };
