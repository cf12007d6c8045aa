import { serveOverIpv4, trustThePeer, type Advice } from './client-ip-advice.js';
import { notPublic, PayerAddressError } from './client-ip-errors.js';
import type { ClientIpPolicy } from './client-ip-options.js';
import type { ClientIp, ClientIpRequest, TracedHop, TracedPeer, WalkTrace } from './client-ip-walk.js';
import type { WechatH5ErrorCode } from './errors.js';
import { parseIpAddress } from './ip-address.js';
import { isForwardingHeader } from './known-headers.js';
import { isPublic, specialPurpose } from './special-purpose.js';

/** How an address was found or why none was, for operators. Plain data, fit for JSON. */
export interface ClientIpExplanation {
  readonly peer: TracedPeer;
  /** The one header that the configuration reads, in lower case. */
  readonly header: string;
  /** Every line of that header, and of every other that is known to carry somebody's address, in the order received. */
  readonly lines: readonly ExplainedLine[];
  /** The entries that were looked at, from the right. What stands further left is of no account. */
  readonly hops: readonly TracedHop[];
  readonly clientIp: ClientIp | undefined;
  readonly error: { readonly code: WechatH5ErrorCode; readonly message: string; readonly hint: string } | undefined;
  /** What to change, when something should be. */
  readonly suggestion: Advice | undefined;
}

export interface ExplainedLine {
  readonly name: string;
  /** Cut after 512 characters. */
  readonly value: string;
  /** Whether the configuration lets this line count. */
  readonly read: boolean;
}

const MAX_SHOWN = 512;

/** Runs the walk and tells what it saw. */
export function explain(
  policy: ClientIpPolicy,
  request: ClientIpRequest,
  find: (trace: WalkTrace) => ClientIp,
): ClientIpExplanation {
  const { remoteAddress, rawHeaders } = request;
  const trace: WalkTrace = {
    peer: { address: remoteAddress && clipped(remoteAddress), verdict: 'unknown' },
    hops: [],
  };
  let clientIp: ClientIp | undefined;
  let error: PayerAddressError | undefined;
  try {
    clientIp = find(trace);
  } catch (caught) {
    if (!(caught instanceof PayerAddressError)) throw caught;
    error = caught;
  }
  const isHeaderRead = trace.peer.verdict === 'trusted' || trace.peer.verdict === 'not-checked';
  const lines = forwardingLines(rawHeaders, policy.header, isHeaderRead);
  return {
    peer: trace.peer,
    header: policy.header,
    lines,
    hops: trace.hops.map((hop) => ({ ...hop, text: clipped(hop.text) })),
    clientIp,
    error: error && { code: error.code, message: error.message, hint: error.hint },
    suggestion: error?.advice ?? (clientIp && suggest(policy, clientIp, lines)),
  };
}

function suggest(policy: ClientIpPolicy, clientIp: ClientIp, lines: readonly ExplainedLine[]): Advice | undefined {
  const { ip, source } = clientIp;
  const address = parseIpAddress(ip)!;
  const seen = lines.find(({ name }) => name.toLowerCase() === policy.header) ?? lines[0];
  if (source === 'socket' && seen !== undefined)
    return trustThePeer(policy, ip, seen.name.toLowerCase(), isPublic(address));
  const kind = specialPurpose(address);
  if (kind !== undefined) return notPublic(policy, ip, kind, source).advice;
  return clientIp.family === 6 && policy.ipv6 === 'warn' ? serveOverIpv4() : undefined;
}

function forwardingLines(rawHeaders: readonly string[], header: string, isHeaderRead: boolean): ExplainedLine[] {
  const lines: ExplainedLine[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const isConfigured = name.toLowerCase() === header;
    if (isConfigured || isForwardingHeader(name)) {
      lines.push({ name, value: clipped(rawHeaders[i + 1]!), read: isConfigured && isHeaderRead });
    }
  }
  return lines;
}

function clipped(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
