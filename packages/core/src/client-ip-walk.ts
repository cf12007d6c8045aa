import * as errors from './client-ip-errors.js';
import type { ClientIpPolicy } from './client-ip-options.js';
import {
  forwardedFor,
  headerLines,
  ItemsFromTheRight,
  parseForwardedNode,
  trimmed,
  UNIX_ITEM,
} from './forwarding-header.js';
import { isUnspecified, nat64Address, parseIpAddress, parseIpAndPort, type IpAddress } from './ip-address.js';
import { specialPurpose } from './special-purpose.js';
import type { TrustedProxies } from './trusted-proxies.js';

export interface ClientIpRequest {
  /**
   * `socket.remoteAddress`, read synchronously on entry. `undefined` only for a UNIX socket
   * (`typeof server.address() === 'string'`), `''` when a TCP peer is already gone.
   */
  readonly remoteAddress: string | undefined;
  /** Names and values in turn, as Node's `request.rawHeaders`: lines that were joined cannot be told apart again. */
  readonly rawHeaders: readonly string[];
}

/** The payer's address, fit for `spbill_create_ip`. */
export interface ClientIp {
  /** Canonical: dotted quad, or RFC 5952; no port, brackets, zone or IPv4-mapped form. */
  readonly ip: string;
  readonly family: 4 | 6;
  /** `'socket'`, or the name of the header in lower case. */
  readonly source: string;
  /** 0: the peer itself. n: the header's n-th entry from the right. */
  readonly hop: number;
  /** Globally reachable, by IANA's registries. WeChat Pay refuses payers who are not. */
  readonly public: boolean;
}

/** What the walk saw, for whoever wants it explained. */
export interface WalkTrace {
  peer: TracedPeer;
  readonly hops: TracedHop[];
}

export interface TracedPeer {
  /** `undefined` for a UNIX socket. */
  readonly address: string | undefined;
  /** `not-checked`: trusted for its place, by `{ hops }`. `unknown`: no address, or nothing to judge it by. */
  readonly verdict: 'trusted' | 'not-trusted' | 'not-checked' | 'unknown';
}

export interface TracedHop {
  /** Counted from the right, from 1. */
  readonly hop: number;
  readonly text: string;
  readonly address: string | undefined;
  /** `not-checked`: trusted for its place, by `{ hops }`. */
  readonly verdict: 'trusted' | 'not-checked' | 'payer' | 'not-an-address';
}

interface Located {
  readonly address: IpAddress;
  readonly source: string;
  readonly hop: number;
}

/** A working proxy writes none. */
const MAX_EMPTY_ITEMS = 64;

/**
 * The payer's address. `proxies` are passed for themselves, as Express's may differ from request to request.
 * @throws WechatH5Error see `ClientIpResolver.resolve`
 */
export function findPayer(
  policy: ClientIpPolicy,
  proxies: TrustedProxies,
  request: ClientIpRequest,
  trace?: WalkTrace,
): ClientIp {
  const located = locate(policy, proxies, request, trace);
  const { source, hop } = located;
  // After the trust decision only: who is trusted is decided on the address that was really seen.
  const address = (policy.nat64 ? nat64Address(located.address) : undefined) ?? located.address;
  const kind = specialPurpose(address);
  if (kind !== undefined && policy.nonPublic === 'reject') throw errors.notPublic(policy, address.text, kind, source);
  if (address.family === 6 && policy.ipv6 === 'reject') throw errors.ipv6NotAllowed(address.text);
  return { ip: address.text, family: address.family, source, hop, public: kind === undefined };
}

function locate(
  policy: ClientIpPolicy,
  proxies: TrustedProxies,
  request: ClientIpRequest,
  trace: WalkTrace | undefined,
): Located {
  let sender = 'the proxy in front';
  if (proxies.trustsPlace(0)) {
    if (trace) trace.peer = { ...trace.peer, verdict: 'not-checked' };
  } else {
    const peer = parsePeer(policy, request.remoteAddress);
    const isTrusted = proxies.trusts(peer, 0);
    if (trace) trace.peer = { address: peer?.text, verdict: isTrusted ? 'trusted' : 'not-trusted' };
    if (!isTrusted) {
      if (peer === undefined) throw errors.noPeer(policy, undefined);
      return { address: peer, source: 'socket', hop: 0 };
    }
    sender = peer?.text ?? 'the UNIX socket';
  }
  const lines = headerLines(request.rawHeaders, policy.header);
  const isList = policy.header === 'x-forwarded-for' || policy.header === 'forwarded';
  return isList ? walkList(policy, proxies, lines, sender, trace) : readSingle(policy, lines, sender, trace);
}

/** `undefined` is a UNIX socket. */
function parsePeer(policy: ClientIpPolicy, remoteAddress: string | undefined): IpAddress | undefined {
  if (remoteAddress === undefined) return undefined;
  if (remoteAddress === '') throw errors.noPeer(policy, remoteAddress);
  const peer = typeof remoteAddress === 'string' ? parseIpAddress(remoteAddress) : undefined;
  if (peer === undefined || isUnspecified(peer)) throw errors.peerInvalid(remoteAddress);
  return peer;
}

function walkList(
  policy: ClientIpPolicy,
  proxies: TrustedProxies,
  lines: readonly string[],
  sender: string,
  trace: WalkTrace | undefined,
): Located {
  const items = new ItemsFromTheRight(lines);
  let hop = 0;
  let emptyItems = 0;
  let leftmost = '';
  for (let item = items.next(); item !== undefined; item = items.next()) {
    if (item === '') {
      if (++emptyItems > MAX_EMPTY_ITEMS) throw errors.tooManyEmptyItems(policy, MAX_EMPTY_ITEMS);
      continue;
    }
    if (++hop > policy.maxHops) throw errors.tooManyHops(policy, policy.maxHops);
    leftmost = item;
    if (proxies.trustsPlace(hop)) {
      trace?.hops.push({ hop, text: item, address: undefined, verdict: 'not-checked' });
      continue;
    }
    const node = policy.header === 'forwarded' ? forwardedFor(item) : item;
    const isUnix = node === UNIX_ITEM && proxies.trusts(undefined, hop);
    const address = isUnix ? undefined : parseItem(policy, node);
    if (isUnix || (address !== undefined && proxies.trusts(address, hop))) {
      trace?.hops.push({ hop, text: item, address: address?.text, verdict: 'trusted' });
      continue;
    }
    trace?.hops.push({ hop, text: item, address: address?.text, verdict: address ? 'payer' : 'not-an-address' });
    if (address === undefined) throw errors.itemInvalid(policy, item, node, hop);
    return { address, source: policy.header, hop };
  }
  if (hop === 0) throw errors.headerMissing(policy, sender);
  throw proxies.trustsPlace(hop) ? errors.chainTooShort(policy, hop) : errors.allTrusted(policy, leftmost);
}

function parseItem(policy: ClientIpPolicy, node: string | undefined): IpAddress | undefined {
  if (node === undefined) return undefined;
  const address = policy.header === 'forwarded' ? parseForwardedNode(node) : parseIpAndPort(node);
  return address !== undefined && isUnspecified(address) ? undefined : address;
}

function readSingle(
  policy: ClientIpPolicy,
  lines: readonly string[],
  sender: string,
  trace: WalkTrace | undefined,
): Located {
  if (lines.length > 1) throw errors.headerRepeated(policy, lines.length);
  const text = trimmed(lines[0] ?? '');
  if (text === '') throw errors.headerMissing(policy, sender);
  const address = parseItem(policy, text);
  trace?.hops.push({ hop: 1, text, address: address?.text, verdict: address ? 'payer' : 'not-an-address' });
  if (address === undefined) throw errors.headerInvalid(policy, text);
  return { address, source: policy.header, hop: 1 };
}
