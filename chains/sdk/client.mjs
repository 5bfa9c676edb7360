// Reach the chain through the console. Needs Node.js 18 or newer and nothing else.
//
//     CONCORD_TOKEN=concord_... node client.mjs
//     CONCORD_TOKEN=concord_... node client.mjs eth_getBalance 0x00000000000000000000000000000000000000ff latest
//
// The token is that of a user with an access grant for this chain; make one on the page "API tokens" of the console.
// `connection.json` must lie beside this file; CONCORD_GATEWAY, if set, is used instead of the address in it.

import { readFile } from "node:fs/promises";

const profile = JSON.parse(await readFile(new URL("./connection.json", import.meta.url), "utf8"));
const TIMEOUT = 30_000; // milliseconds

/** The results of several JSON-RPC calls `[method, params]`, asked in one request, in order. */
export async function batch(calls) {
  const body = calls.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params }));
  const answers = new Map((await post(body)).map((each) => [each.id, each]));
  return calls.map(([method], id) => {
    const { result, error } = answers.get(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  });
}

/** The result of one call. */
export async function call(method, ...params) {
  return (await batch([[method, params]]))[0];
}

async function post(body) {
  const token = process.env[profile.gateway.token_variable];
  if (!token) throw new Error(`Set ${profile.gateway.token_variable} to an API token of the console.`);
  const answer = await fetch(process.env.CONCORD_GATEWAY || profile.gateway.url, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status}: ${said.detail}`);
  return said;
}

async function main([method, ...params]) {
  if (method) {
    console.log(JSON.stringify(await call(method, ...params), null, 1));
    return;
  }
  const [chainId, block] = await batch([["eth_chainId", []], ["eth_getBlockByNumber", ["latest", false]]]);
  console.log(`chain ${profile.blockchain.name}, chain id ${Number(chainId)}`);
  console.log(`block ${Number(block.number)}, ${block.hash}, transactions ${block.transactions.length}`);
}

if (process.argv[1] && import.meta.url.endsWith(encodeURI(process.argv[1].split(/[\\/]/).pop()))) {
  main(process.argv.slice(2)).catch((problem) => {
    console.error(problem.message);
    process.exitCode = 1;
  });
}
