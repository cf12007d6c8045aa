import { INNER, OUTER, SECOND_VISITOR, VISITOR } from './addresses.js';
import type { HeaderLine } from './visitor.js';

/** What one visitor sends, or two by turns; each over one connection of their own. */
export interface Shape {
  readonly requests: readonly ShapeRequest[];
}

export interface ShapeRequest {
  readonly from: string;
  readonly headers: readonly HeaderLine[];
}

export type ShapeName = keyof typeof SHAPES;

/** Addresses that only a forgery names (RFC 5737). */
const FORGED = '203.0.113.66';
const ALSO_FORGED = '198.51.100.7';

const XFF = 'X-Forwarded-For';

const HEADERS_OF_OTHERS: readonly HeaderLine[] = [
  'X-Real-IP',
  'X-Client-IP',
  'Client-IP',
  'X-Cluster-Client-IP',
  'CF-Connecting-IP',
  'True-Client-IP',
  'Ali-CDN-Real-IP',
  'EO-Connecting-IP',
].map((name) => [name, FORGED]);

/** One visitor is honest; the others want another address on their order. */
export const SHAPES = {
  honest: one(),
  'X-Forwarded-For': one([XFF, FORGED]),
  'X-Forwarded-For, many': one([XFF, `${FORGED}, ${ALSO_FORGED}, 192.0.2.9`]),
  'X-Forwarded-For, private': one([XFF, '10.0.0.8, 192.168.1.1']),
  'X-Forwarded-For, our own proxies': one([XFF, `${FORGED}, ${OUTER}, ${INNER}, 127.0.0.1`]),
  'X-Forwarded-For, no address': one([XFF, 'unknown, <b>, -1, 0x7f000001']),
  'X-Forwarded-For, empty': one([XFF, '']),
  'X-Forwarded-For, commas': one([XFF, `${FORGED},, ,`]),
  'X-Forwarded-For, with a port': one([XFF, `${FORGED}:51234`]),
  'X-Forwarded-For, IPv6': one([XFF, '2001:db8::66, [2001:db8::66]:443, ::ffff:203.0.113.66']),
  'X-Forwarded-For, three lines': one([XFF, FORGED], ['x-forwarded-for', ALSO_FORGED], ['X-FORWARDED-FOR', FORGED]),
  'X-Forwarded-For, 20 kB': one(
    ...Array.from({ length: 4 }, (): HeaderLine => [XFF, `${FORGED}, `.repeat(350) + FORGED]),
  ),
  X_Forwarded_For: one(['X_Forwarded_For', FORGED]),
  'X-Real-IP': one(['X-Real-IP', FORGED]),
  Forwarded: one(['Forwarded', `for=${FORGED};proto=https;by=${OUTER}`]),
  PROXY_FORWARDED_FOR: one(['PROXY_FORWARDED_FOR', FORGED], ['Proxy-Forwarded-For', FORGED]),
  'headers of CDNs and libraries': one(...HEADERS_OF_OTHERS),
  'all of them at once': one(
    [XFF, FORGED],
    ['Forwarded', `for=${FORGED}`],
    ['Proxy-Forwarded-For', FORGED],
    ...HEADERS_OF_OTHERS,
  ),
  // RFC 9110 §7.6.1: a proxy removes what Connection names. It must not remove what it adds itself.
  'Connection: X-Forwarded-For': one(['Connection', 'keep-alive, X-Forwarded-For, X-Real-IP'], [XFF, FORGED]),
  'forged, then honest': { requests: [request(VISITOR, [XFF, FORGED]), request(VISITOR)] },
  'two visitors by turns': {
    requests: [request(VISITOR), request(SECOND_VISITOR), request(VISITOR), request(SECOND_VISITOR)],
  },
} as const satisfies Readonly<Record<string, Shape>>;

export const SHAPE_NAMES = Object.keys(SHAPES) as readonly ShapeName[];

function one(...headers: readonly HeaderLine[]): Shape {
  return { requests: [request(VISITOR, ...headers)] };
}

function request(from: string, ...headers: readonly HeaderLine[]): ShapeRequest {
  return { from, headers };
}
