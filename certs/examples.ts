/** The examples that the certificate tool's help begins with. */

/** Of the tool as a whole. */
export const EXAMPLES = `Examples:
  certs init                            an authority, a server's certificate, and one for the user "admin"
  certs init --host jobs.example.org    the same, for a server that others reach by that name
  certs client ann --role operator      a certificate for "ann", for 90 days
  certs client eva --role viewer --csr eva.csr   the same for a key that eva made and keeps
  certs list                            what there is, how it stands, and until when
  certs renew ann                       the same certificate anew, with a new key; "renew server" too
  certs revoke ann                      no server accepts it from now on
  certs renew ca                        a new authority beside the old, see "certs renew --help"
`;

/** Of "client". */
export const CLIENT_EXAMPLES = `Examples:
  certs client ann --role operator
  certs client bob --role viewer --role operator --days 30

Without its key travelling, from a request that the user makes, such as with
  openssl req -new -newkey ed25519 -nodes -keyout eva.key -subj /CN=eva -out eva.csr
  certs client eva --role viewer --csr eva.csr

To work from another machine, a user needs ca.crt, NAME.crt and NAME.key there, and never ca.key.
`;

/** Of "renew". */
export const RENEW_EXAMPLES = `Examples:
  certs renew ann              in place, with a new key; servers need not be told
  certs renew server           servers take it up by themselves

Another authority, without anybody being shut out meanwhile:
  certs renew ca               ca.crt then holds both: hand it to servers and users
  certs renew server           and all users, who then have certificates of the new authority
  certs renew ca --finish      drops the old authority: what it signed is refused
`;
