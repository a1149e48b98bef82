/**
 * The rules of the house as code: which file may import which, and what only some files may use.
 * Long: the tables of the rules belong together.
 */

/** One import, whatever its form. */
export interface Import {
  readonly specifier: string;
  /** The names taken; `*` stands for all. */
  readonly names: readonly string[];
}

/** The facts of a file that the rules need. */
export interface FileFacts {
  readonly imports: readonly Import[];
  /** Such as `Deno.args` or `console.log`, each once. */
  readonly uses: ReadonlySet<string>;
  readonly startsWithComment: boolean;
  readonly lines: number;
  /** True when the first comment gives a reason, after the word "Long:", why the file has more than 250 lines. */
  readonly isLongForAReason: boolean;
}

/** The layers and what each may import besides itself. The top of the list is the top of the house. */
const LAYERS: Record<string, readonly string[]> = {
  door: ["teleportd", "mod", "cli", "service", "rpc", "certs", "trust", "proto", "worker", "text", "units", "base"],
  teleportd: ["mod", "service", "rpc", "certs", "trust", "text", "units", "base"],
  mod: ["worker", "base"],
  cli: ["rpc", "trust", "proto", "text", "units", "base"],
  service: ["mod", "proto", "text", "base"],
  rpc: ["mod", "trust", "proto", "base"],
  certs: ["trust", "text", "base"],
  trust: ["text", "base"],
  proto: ["base"],
  text: ["base"],
  units: ["proto", "base"],
  worker: ["base"],
  base: [],
};

/** Tests and benchmarks may import every layer, and each other. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  ...LAYERS,
  tests: [...Object.keys(LAYERS), "bench"],
  bench: [...Object.keys(LAYERS), "tests"],
};

/** The npm packages of each layer. A layer that is not here has none; tests and benchmarks may use all of them. */
const PACKAGES: Record<string, RegExp> = {
  door: /^commander$/,
  teleportd: /^(commander|@opentelemetry\/.+)$/,
  cli: /^(commander|mustache|smol-toml|yaml)$/,
  rpc: /^(@grpc\/.+|grpc-health-check|protobufjs(\/(light|dist\/minimal\/protobuf)\.js)?)$/,
  service: /^re2js$/,
  certs: /^(commander|@peculiar\/x509|reflect-metadata)$/,
  "proto/client_codec.ts": /^protobufjs$/,
  "proto/generate.ts": /^protobufjs$/,
  "proto/file_descriptors.ts": /^protobufjs$/,
};

/**
 * The rooms of a layer: its folders, and the others of the same layer that each may import. The empty name is the layer's
 * own folder. A layer that is not here has one room.
 */
const ROOMS: Record<string, Record<string, readonly string[]>> = {
  worker: {
    supervisor: ["store", "engine", "host", "job", "process", "launch", "cgroup", "output", "terminal", "linux", ""],
    store: ["job", "process", "output", ""],
    engine: ["host", "job", "process", "launch", "output", ""],
    host: ["job", "process", "launch", "cgroup", "output", "terminal", "linux", ""],
    job: ["process", "launch", "cgroup", "output", "terminal", "linux", ""],
    process: ["launch", "cgroup", "output", "terminal", "linux", ""],
    cgroup: ["linux", ""],
    output: [""],
    launch: ["terminal", "linux", ""],
    terminal: [""],
    linux: [""],
    "": [],
  },
  service: {
    handlers: ["audit", "policy", "convert", "search", ""],
    audit: ["policy", ""],
    policy: [""],
    convert: [""],
    search: [],
    "": [],
  },
  rpc: { server: ["shared", "compat"], client: ["shared", "compat"], shared: [], compat: [] },
  certs: { "": ["commands"], commands: [""] },
  // Only programs use the room process: a server and a job host must fit into any process.
  teleportd: {
    program: ["nodes", "host", "process", "metrics", "log", ""],
    nodes: ["log", ""],
    host: ["log", ""],
    process: ["log", ""],
    metrics: ["log", ""],
    log: [],
    "": ["nodes", "host", "log", "metrics"],
  },
  cli: {
    "": ["commands", "contexts", "follow", "options", "print"],
    commands: ["completion", "contexts", "copy", "terminal", "top", "follow", "options", "print", ""],
    completion: [""],
    contexts: ["print", ""],
    copy: ["follow", "print", ""],
    terminal: ["follow", "print", ""],
    top: ["terminal", "follow", "print", ""],
    follow: ["print", ""],
    options: ["follow", ""],
    print: ["options", ""],
  },
};

/** The most lines of a file whose first comment gives no reason for more. */
const MAX_LINES = 250;

/** Files that programs write. */
const GENERATED = /^proto\/teleport\//;

/** The folders of `tests/` that mirror no layer: tests of whole programs, and tools for tests. */
const OTHER_TESTS = [
  "bench",
  "demo",
  "e2e",
  "gates",
  "host",
  "interop",
  "kills",
  "runner",
  "slurm",
  "soak",
  "support",
  "torture",
];

/** The folders of `tests/` that the others may import. */
const SHARED_TESTS: readonly string[] = ["support", "torture"];

/** The files of `rpc/` that belong to the client, the only ones the command line may load. */
const CLIENT_FILES = /^rpc\/(client|shared)\//;
const DOORS = ["server.ts", "cli.ts", "certs.ts"];
/** Handlers of a process as a whole. */
const GLOBAL_HANDLERS = /^(Deno\.(add|remove)SignalListener|globalThis\.(addEventListener|on\w+))$/;
/** A program for developers in the layer whose types it writes. */
const GENERATOR = "proto/generate.ts";
const PRINTER = "cli/print/print.ts";

function layerOf(path: string): string | undefined {
  if (DOORS.includes(path)) return "door";
  if (path === "mod.ts" || path === "job_host.ts") return "mod";
  const [folder, rest] = path.split("/", 2);
  return rest !== undefined && folder !== undefined && folder !== "door" && folder in MAY_IMPORT ? folder : undefined;
}

/** The room of a file in its layer. */
function roomOf(path: string): string {
  const [, folder = "", file] = path.split("/", 3);
  return file === undefined ? "" : folder;
}

/** Reads the facts out of a source text. Works only under `deno test`, whose parser it borrows. */
export function readFacts(path: string, source: string): FileFacts {
  const imports: Import[] = [];
  const uses = new Set<string>();
  const nameOf = (node: Deno.lint.Identifier | Deno.lint.StringLiteral) =>
    node.type === "Identifier" ? node.name : node.value;
  const literal = (node: Deno.lint.Node): string =>
    node.type === "Literal" && typeof node.value === "string" ? node.value : "";
  const rule: Deno.lint.Rule = {
    create: () => ({
      ImportDeclaration(node) {
        const names = node.specifiers.map((s) => s.type === "ImportSpecifier" ? nameOf(s.imported) : "*");
        imports.push({ specifier: node.source.value, names });
      },
      ExportNamedDeclaration(node) {
        if (node.source === null) return;
        const names = node.specifiers.map((s) => nameOf(s.local));
        imports.push({ specifier: node.source.value, names });
      },
      ExportAllDeclaration(node) {
        imports.push({ specifier: node.source.value, names: ["*"] });
      },
      ImportExpression(node) {
        imports.push({ specifier: literal(node.source), names: ["*"] });
      },
      TSImportType(node) {
        const argument = node.argument;
        imports.push({
          specifier: argument.type === "TSLiteralType" ? literal(argument.literal) : "",
          names: ["*"],
        });
      },
      MemberExpression(node) {
        if (node.object.type !== "Identifier") return;
        const property = node.property.type === "Identifier" && !node.computed
          ? node.property.name
          : literal(node.property);
        uses.add(`${node.object.name}.${property}`);
      },
    }),
  };
  const problems = Deno.lint.runPlugin({ name: "structure", rules: { facts: rule } }, path, source);
  if (problems.length > 0) throw new Error(`Cannot read "${path}": ${problems[0]?.message}`);
  const firstComment = /^(?:#!.*\n)?\s*((?:\/\/.*(?:\n|$)\s*)*(?:\/\*[^]*?\*\/)?)/.exec(source)?.[1] ?? "";
  return {
    imports,
    uses,
    startsWithComment: firstComment !== "",
    lines: source.split("\n").length - 1,
    isLongForAReason: /\bLong: \S/.test(firstComment),
  };
}

/**
 * Names every breach of the rules, a sentence each, in order of the files.
 *
 * @param files Path (with `/`, from the root of the repository) and facts of every TypeScript file.
 * @param importMap The `imports` of deno.json.
 * @param ownName The `name` of deno.json, by which the library may import itself.
 */
export function violations(
  files: ReadonlyMap<string, FileFacts>,
  importMap: Readonly<Record<string, string>>,
  ownName: string,
): string[] {
  const found: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [name, target] of Object.entries(importMap)) {
    // A private file of a package has a path.
    if (!/^npm:(@[^@/]+\/)?[^@/]+@\d+\.\d+\.\d+(\/.+)?$/.test(target)) {
      found.push(`deno.json maps "${name}" to "${target}": use "npm:NAME@" and one exact version`);
    }
  }
  for (const [path, facts] of files) {
    const layer = layerOf(path);
    if (layer === undefined) {
      found.push(`${path} is in no layer: move it into one of the folders the design names`);
      continue;
    }
    found.push(...fileViolations(path, layer, facts));
    const targets: string[] = [];
    for (const { specifier, names } of facts.imports) {
      if (specifier.startsWith("node:")) continue;
      if (specifier.startsWith(".") || specifier === ownName) {
        const target = specifier === ownName ? "mod.ts" : new URL(specifier, `file:///${path}`).pathname.slice(1);
        targets.push(target);
        const breach = arrowViolation(path, layer, target, names);
        if (breach !== undefined) found.push(breach);
      } else if (!(specifier in importMap)) {
        found.push(
          `${path} imports "${specifier}": import Deno built-ins, own files, or a name in deno.json's imports`,
        );
      } else if (layer !== "tests" && layer !== "bench" && !(PACKAGES[path] ?? PACKAGES[layer])?.test(specifier)) {
        found.push(`${path} imports the package "${specifier}": the layer "${layer}" may not`);
      }
    }
    graph.set(path, targets);
  }
  return [...found, ...cycles(graph)];
}

function fileViolations(path: string, layer: string, facts: FileFacts): string[] {
  const found: string[] = [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!facts.startsWithComment) found.push(`${path} does not begin with a comment: say what the file is for`);
  if (/^(utils?|index|helpers?|common|misc)\.ts$/.test(name)) {
    found.push(`${path} has a name that says nothing: name it after what it holds`);
  }
  if (!/^[a-z0-9]+(_[a-z0-9]+)*\.ts$/.test(name)) found.push(`${path} is not named in snake_case`);
  if (/(^|\/)interfaces\//.test(path)) found.push(`${path} is in a folder "interfaces": keep a type next to its use`);
  if (facts.lines > MAX_LINES && !facts.isLongForAReason && !GENERATED.test(path)) {
    found.push(
      `${path} has ${facts.lines} lines, at most ${MAX_LINES}: split it, or give the reason after "Long:" in its first comment`,
    );
  }
  if (
    layer === "tests" && !OTHER_TESTS.includes(roomOf(path)) && !(roomOf(path) in MAY_IMPORT) && roomOf(path) !== ""
  ) {
    found.push(`${path} is in a folder that mirrors no layer: move it to the folder of the layer that it tests`);
  }
  const rooms = ROOMS[layer];
  if (rooms !== undefined && !Object.hasOwn(rooms, roomOf(path))) {
    const names = Object.keys(rooms).filter((room) => room !== "").join(", ");
    found.push(`${path} is in no room of ${layer}/: move it to one of ${names}`);
  }
  if (layer === "tests" || layer === "bench" || path === GENERATOR || DOORS.includes(path)) return found;
  for (const use of facts.uses) {
    const [object = "", property = ""] = use.split(".");
    if (/^Deno\.(args|env|exit|exitCode)$/.test(use)) {
      found.push(`${path} uses ${use}: only the doors ${DOORS.join(", ")} may, pass it in as data`);
    }
    if (layer === "teleportd" && roomOf(path) !== "process" && GLOBAL_HANDLERS.test(use)) {
      found.push(`${path} uses ${use}: only teleportd/process/ may, because a server must fit into any process`);
    }
    if (object === "process" && ["argv", "env", "exit", "exitCode"].includes(property)) {
      found.push(`${path} uses ${use}: only the doors ${DOORS.join(", ")} may, pass it in as data`);
    }
    if ((object === "console" || use === "Deno.stdout") && path !== PRINTER) {
      found.push(`${path} uses ${use}: only ${PRINTER} and the doors may print`);
    }
  }
  return found;
}

function arrowViolation(path: string, layer: string, target: string, names: readonly string[]): string | undefined {
  const arrow = `${path} imports ${target}`;
  const targetLayer = layerOf(target);
  if (layer === "door" && target === "deno.json") return undefined; // It says the version.
  if (targetLayer === undefined) return `${arrow}: that is in no layer`;
  if (targetLayer !== layer) {
    if (MAY_IMPORT[layer]?.includes(targetLayer) !== true) {
      return `${arrow}: "${layer}" may not import "${targetLayer}"`;
    }
    if (layer === "cli" && targetLayer === "rpc" && !CLIENT_FILES.test(target)) {
      return `${arrow}: the command line may import only the client's side of rpc/`;
    }
    const other = names.find((name) => !/(Error|ErrorCode)$/.test(name));
    if (layer === "rpc" && targetLayer === "mod" && other !== undefined) {
      return `${arrow} for "${other}": rpc/ may take only errors and their codes from the library`;
    }
    return undefined;
  }
  if (layer === "door") return `${arrow}: a door may not import a door`;
  const [from, to] = [roomOf(path), roomOf(target)];
  if (layer === "tests" && from !== to && from !== "" && !(from === "support" ? [] : SHARED_TESTS).includes(to)) {
    return `${arrow}: put what several folders of tests use into tests/support/`;
  }
  const allowed = ROOMS[layer]?.[from];
  if (allowed !== undefined && from !== to && !allowed.includes(to)) {
    return `${arrow}: inside ${layer}/ the room "${from}" may not import "${to}"`;
  }
  return undefined;
}

/** Finds files that import each other in a ring, one sentence a ring. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`${[...trail.slice(start), path].join(" imports ")}: break the ring`);
    if (start >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
