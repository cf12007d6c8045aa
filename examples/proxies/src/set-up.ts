import type { ClientIpOptions, WechatH5ErrorCode } from '@wechat-h5/core';
import type { ProxySoftware } from '@wechat-h5/testkit/proxies';
import type { ShapeName } from './shapes.js';

/**
 * What an order came to. `right`: the visitor's own address was sent to WeChat Pay. `sent ADDRESS`: another one
 * was, believed. A code: the order was refused and nothing sent. `HTTP STATUS`: a server refused the request itself,
 * too long for it, before the library saw it.
 */
export type Outcome = 'right' | WechatH5ErrorCode | `sent ${string}` | `HTTP ${number}`;

/** One proxy of a deployment. */
export interface Hop {
  readonly software: ProxySoftware;
  /** Relative to examples/proxies. */
  readonly file: string;
  /** Where it listens, and what it connects from. */
  readonly address: string;
  /** The proxies in front that it is told of. Default: the address of the hop before it. */
  readonly loadBalancer?: string;
}

/** A deployment: proxies, the outermost first, and the application behind them. */
export interface SetUp {
  readonly name: string;
  readonly hops: readonly Hop[];
  readonly clientIp: ClientIpOptions;
  /** Express's own setting. */
  readonly trustProxy?: readonly string[];
  /** What the application listens on. Default an IPv4 address. */
  readonly socket?: 'dual-stack' | 'unix';
  /** Visitors connect to this hop, around those before it; the number of hops is the application. Default 0. */
  readonly entry?: number;
  /** What each shape comes to, unless `right`. */
  readonly outcomes?: Partial<Readonly<Record<ShapeName, Outcome>>>;
}

/** Every address sent is the visitor's. */
export interface RightSetUp extends SetUp {
  /** For how many shapes the guide's sample code would have sent the right address. */
  readonly guideSample: number;
}

/** A mistake that the first honest visitor brings to light. */
export interface NamedMistake extends SetUp {
  /** A line of the error's hint: what to change. */
  readonly hint: string;
}

export const nginx = (file: string, address: string, loadBalancer?: string): Hop =>
  hop('nginx', `${file}.conf`, address, loadBalancer);
export const apache = (file: string, address: string, loadBalancer?: string): Hop =>
  hop('apache', `${file}.conf`, address, loadBalancer);
export const haproxy = (file: string, address: string): Hop => hop('haproxy', `${file}.cfg`, address);
export const caddy = (file: string, address: string): Hop => hop('caddy', `${file}.Caddyfile`, address);

function hop(software: ProxySoftware, file: string, address: string, loadBalancer?: string): Hop {
  return { software, file, address, ...(loadBalancer === undefined ? {} : { loadBalancer }) };
}

/** The servers that a deployment needs. */
export function softwareOf({ hops }: SetUp): readonly ProxySoftware[] {
  return hops.map(({ software }) => software);
}
