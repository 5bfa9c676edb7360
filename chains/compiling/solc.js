// The Solidity compiler of npm (WebAssembly) under the options that tools expect of its native program.
//
//   solc.js --version
//   solc.js --standard-json [--no-import-callback] [FILE]      the input is read from FILE or from stdin
//   solc.js --combined-json abi,bin,… [options] FILE…          what crytic-compile and others ask for
//
// Imports are read from disk, next to whoever imports them or under --base-path and --include-path;
// with --no-import-callback from nowhere: only what the input itself brings is there.
"use strict";

const fs = require("fs");
const path = require("path");

const HOME = process.env.SOLC_HOME || path.dirname(__dirname);
const VALUED = new Set([
  "--allow-paths", "--base-path", "--include-path", "--evm-version", "--optimize-runs", "--combined-json",
  "--model-checker-engine", "--model-checker-targets", "--model-checker-timeout", "--model-checker-contracts",
  "--model-checker-show-unproved", "--output-dir", "-o", "--metadata-hash",
]);
const KEYS = {
  abi: ["abi"], ast: [], asm: ["evm.assembly"], bin: ["evm.bytecode"], "bin-runtime": ["evm.deployedBytecode"],
  srcmap: ["evm.bytecode.sourceMap"], "srcmap-runtime": ["evm.deployedBytecode.sourceMap"], userdoc: ["userdoc"],
  devdoc: ["devdoc"], hashes: ["evm.methodIdentifiers"], metadata: ["metadata"], opcodes: ["evm.bytecode.opcodes"],
  "storage-layout": ["storageLayout"], "function-debug": [], "function-debug-runtime": [],
  "generated-sources": [], "generated-sources-runtime": [],
};

function load() {
  for (const name of ["uncaughtException", "unhandledRejection"]) process.removeAllListeners(name);
  const solc = require(path.join(HOME, "node_modules", "solc"));
  for (const name of ["uncaughtException", "unhandledRejection"]) process.removeAllListeners(name); // its own hide errors
  return solc;
}

function options(argv) {
  const given = { files: [], flags: new Set(), values: {}, remappings: [] };
  for (let at = 0; at < argv.length; at += 1) {
    const [name, inline] = argv[at].startsWith("--") ? argv[at].split(/=(.*)/s) : [argv[at], undefined];
    if (VALUED.has(name)) {
      const value = inline === undefined ? argv[(at += 1)] : inline;
      given.values[name] = [...(given.values[name] || []), value];
    } else if (name.startsWith("-")) given.flags.add(name);
    else if (/^[^=]+=.+/.test(name)) given.remappings.push(name);
    else given.files.push(name);
  }
  return given;
}

function reader(given) {
  const roots = [...(given.values["--base-path"] || ["."]), ...(given.values["--include-path"] || [])];
  return (name) => {
    for (const place of path.isAbsolute(name) ? [name] : roots.map((root) => path.join(root, name))) {
      try {
        return { contents: fs.readFileSync(place, "utf8") };
      } catch {
        continue;
      }
    }
    return { error: "File not found." };
  };
}

function standardJson(given) {
  const input = fs.readFileSync(given.files[0] && given.files[0] !== "-" ? given.files[0] : 0, "utf8");
  const callbacks = given.flags.has("--no-import-callback") ? undefined : { import: reader(given) };
  process.stdout.write(load().compile(input, callbacks) + "\n");
  return 0;
}

function combinedJson(given) {
  const wanted = given.values["--combined-json"].join(",").split(",").filter(Boolean);
  const unknown = wanted.find((key) => !(key in KEYS));
  if (unknown !== undefined) {
    process.stderr.write(`Invalid option for --combined-json: ${unknown}\n`);
    return 1;
  }
  const sources = {};
  for (const file of given.files) sources[file] = { content: fs.readFileSync(file, "utf8") };
  const settings = {
    outputSelection: { "*": { "": ["ast"], "*": [...new Set(wanted.flatMap((key) => KEYS[key]))] } },
    optimizer: { enabled: given.flags.has("--optimize"), runs: Number((given.values["--optimize-runs"] || [200])[0]) },
    remappings: given.remappings,
    viaIR: given.flags.has("--via-ir"),
  };
  if (given.values["--evm-version"]) settings.evmVersion = given.values["--evm-version"][0];
  const solc = load();
  const made = JSON.parse(
    solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: reader(given) }),
  );
  for (const each of made.errors || []) process.stderr.write(`${each.formattedMessage}\n`);
  if ((made.errors || []).some((each) => each.severity === "error")) return 1;
  process.stdout.write(JSON.stringify(combined(made, wanted, solc.version())) + "\n");
  return 0;
}

function combined(made, wanted, version) {
  const contracts = {};
  for (const [file, each] of Object.entries(made.contracts || {}))
    for (const [name, found] of Object.entries(each)) contracts[`${file}:${name}`] = shaped(found, wanted);
  const files = Object.entries(made.sources || {}).sort((one, other) => one[1].id - other[1].id);
  const sources = {};
  for (const [file, each] of files) sources[file] = { AST: each.ast, id: each.id };
  return { contracts, sourceList: files.map(([file]) => file), sources, version };
}

function shaped(found, wanted) {
  const evm = found.evm || {};
  const code = evm.bytecode || {};
  const runtime = evm.deployedBytecode || {};
  const all = {
    abi: found.abi, asm: evm.assembly, bin: code.object || "", "bin-runtime": runtime.object || "",
    srcmap: code.sourceMap || "", "srcmap-runtime": runtime.sourceMap || "", userdoc: found.userdoc,
    devdoc: found.devdoc, hashes: evm.methodIdentifiers || {}, metadata: found.metadata, opcodes: code.opcodes || "",
    "storage-layout": found.storageLayout, "function-debug": code.functionDebugData || {},
    "function-debug-runtime": runtime.functionDebugData || {}, "generated-sources": code.generatedSources || [],
    "generated-sources-runtime": runtime.generatedSources || [],
  };
  return Object.fromEntries(wanted.filter((key) => key !== "ast").map((key) => [key, all[key]]));
}

function main() {
  const given = options(process.argv.slice(2));
  if (given.flags.has("--version")) {
    const version = load().version();
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
    return 0;
  }
  if (given.flags.has("--standard-json")) return standardJson(given);
  if (given.values["--combined-json"]) return combinedJson(given);
  process.stderr.write("There are --version, --standard-json and --combined-json.\n");
  return 1;
}

process.exitCode = main();
