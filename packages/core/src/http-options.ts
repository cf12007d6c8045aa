import type { Agent } from 'node:http';
import type { LookupFunction } from 'node:net';
import { WechatH5Error } from './errors.js';

/** How WeChat Pay is reached. Everything has a default that suits a shop. */
export interface HttpOptions {
  /**
   * An `https.Agent`, or one that behaves like it, instead of the kept-alive one of this library: for an outgoing
   * proxy, or a certificate authority of your own. Its options win over the other ones here. It is yours to destroy.
   */
  agent?: Agent;
  /** As in `net.connect`: resolves the gateway's host names. Default `dns.lookup`. */
  lookup?: LookupFunction;
  /** For a whole call: waiting for its turn, all hosts and all attempts. 1 to 60000 ms, default 6000. */
  timeoutMs?: number;
  /** Until a connection stands, TLS included, for each host. 1 to 60000 ms, default 3000. */
  connectTimeoutMs?: number;
  /** The most connections to one host at a time; further calls wait for one. 1 to 1000, default 64. */
  maxSockets?: number;
  /**
   * The most calls a second for one merchant from this process, and as many at once. Halved when WeChat Pay says
   * `FREQUENCY_LIMITED`, and back within a minute. 1 to 10000, default 100.
   */
  callsPerSecond?: number;
}

const RANGES = {
  timeoutMs: [1, 60_000],
  connectTimeoutMs: [1, 60_000],
  maxSockets: [1, 1000],
  callsPerSecond: [1, 10_000],
} as const;
const KNOWN = ['agent', 'lookup', ...Object.keys(RANGES)];

/**
 * The `http` option, checked.
 * @throws {WechatH5Error} `OPTIONS_INVALID`
 */
export function httpOptionsOf(given: HttpOptions | undefined): HttpOptions {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null)
    throw invalid('http', 'is not an object', 'Pass { timeoutMs: 6000 }.');
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) throw invalid(`http.${name}`, 'is not an option', `Known: ${KNOWN.join(', ')}.`);
  }
  const { agent, lookup } = given;
  if (agent !== undefined && (typeof agent !== 'object' || agent === null || !('addRequest' in agent))) {
    throw invalid('http.agent', 'is not an agent', 'Pass a new https.Agent({ keepAlive: true }), or one made like it.');
  }
  if (lookup !== undefined && typeof lookup !== 'function') {
    throw invalid('http.lookup', 'is not a function', 'Pass one with the signature of dns.lookup.');
  }
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = given[name as keyof typeof RANGES];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) continue;
    throw invalid(`http.${name}`, `is ${String(value)}`, `Give an integer from ${least} to ${most}.`);
  }
  return given;
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${option} ${problem}`, { field: option, hint });
}
