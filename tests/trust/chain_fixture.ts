/** Chains that openssl creates, with certificates that this project does not create. */
import { openssl } from "../support/certs.ts";

/** A directory in which openssl creates certificates. */
export interface Workshop extends AsyncDisposable {
  readonly path: string;
  /** Creates an authority that signs itself. */
  root(name: string, keySpec: readonly string[], more?: readonly string[]): Promise<void>;
  /** Creates a certificate that an issuer signs. The extensions have the form of an openssl configuration. */
  issue(name: string, issuer: string, keySpec: readonly string[], extensions: readonly string[]): Promise<void>;
  /** Returns the certificates of these names in one text. */
  pem(...names: readonly string[]): Promise<string>;
  key(name: string): Promise<string>;
}

export const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
export const P384 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
export const P521 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
export const RSA = ["-newkey", "rsa:2048"];
export const ED25519 = ["-newkey", "ed25519"];

export const CLIENT = [
  "basicConstraints=CA:FALSE",
  "keyUsage=critical,digitalSignature",
  "extendedKeyUsage=clientAuth",
];
export const SERVER = [
  "basicConstraints=CA:FALSE",
  "extendedKeyUsage=serverAuth",
  "subjectAltName=DNS:localhost,IP:127.0.0.1",
];
export const AUTHORITY = ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign"];

async function run(...args: string[]): Promise<void> {
  const { success, text } = await openssl(...args);
  if (!success) throw new Error(`openssl ${args.join(" ")}: ${text}`);
}

/** Opens a directory, which is deleted when the workshop is disposed. */
export async function openWorkshop(): Promise<Workshop> {
  const path = await Deno.makeTempDir({ prefix: "teleport-chains-" });
  const file = (name: string) => `${path}/${name}`;
  return {
    path,
    async root(name, keySpec, more = []) {
      const own = ["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`), "-subj", `/O=Example/CN=${name}`];
      const extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
        .flatMap((extension) => ["-addext", extension]);
      await run("req", "-x509", ...keySpec, "-nodes", "-days", "30", ...own, ...extensions, ...more);
    },
    async issue(name, issuer, keySpec, extensions) {
      const own = ["-keyout", file(`${name}.key`), "-out", file(`${name}.csr`), "-subj", `/O=admin/CN=${name}`];
      await run("req", "-new", ...keySpec, "-nodes", ...own);
      await Deno.writeTextFile(file("extensions"), extensions.join("\n"));
      const by = ["-CA", file(`${issuer}.crt`), "-CAkey", file(`${issuer}.key`), "-CAcreateserial"];
      const out = ["-out", file(`${name}.crt`), "-extfile", file("extensions")];
      const digest = keySpec.filter((word) => /^-sha/.test(word));
      await run("x509", "-req", ...digest, "-in", file(`${name}.csr`), ...by, "-days", "20", ...out);
    },
    pem: async (...names) => (await Promise.all(names.map((name) => Deno.readTextFile(file(`${name}.crt`))))).join(""),
    key: (name) => Deno.readTextFile(file(`${name}.key`)),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
