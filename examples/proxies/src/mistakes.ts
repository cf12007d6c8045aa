import { ALL_PROXIES, INNER, INNERMOST, OUTER } from './addresses.js';
import { apache, haproxy, nginx, type NamedMistake, type Outcome, type SetUp } from './set-up.js';
import { SHAPE_NAMES } from './shapes.js';

type Outcomes = NonNullable<SetUp['outcomes']>;

/** The proxy hands on what visitors wrote, and writes nothing. Who is honest is refused, and the others are believed. */
const PASSED_ON: Outcomes = {
  ...every('HEADER_MISSING'),
  'X-Forwarded-For': 'sent 203.0.113.66',
  'X-Forwarded-For, many': 'sent 192.0.2.9',
  'X-Forwarded-For, private': 'sent 192.168.1.1',
  'X-Forwarded-For, our own proxies': 'sent 127.0.0.1',
  'X-Forwarded-For, no address': 'ITEM_INVALID',
  'X-Forwarded-For, commas': 'sent 203.0.113.66',
  'X-Forwarded-For, with a port': 'sent 203.0.113.66',
  'X-Forwarded-For, IPv6': 'sent 203.0.113.66',
  'X-Forwarded-For, three lines': 'sent 203.0.113.66',
  'X-Forwarded-For, 20 kB': 'HTTP 431',
  'all of them at once': 'sent 203.0.113.66',
  'Connection: X-Forwarded-For': 'sent 203.0.113.66',
  'forged, then honest': 'sent 203.0.113.66',
};

/** Mistakes that the first honest order brings to light, by name and with the line that repairs them. */
export const NAMED_MISTAKES: readonly NamedMistake[] = [
  {
    name: 'nginx: no proxy_set_header',
    hops: [nginx('broken/nginx-no-header', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: PASSED_ON,
    hint: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
  },
  {
    name: 'nginx: $http_x_forwarded_for',
    hops: [nginx('broken/nginx-copies-the-visitor', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: PASSED_ON,
    hint: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
  },
  {
    name: 'nginx: lost inheritance',
    hops: [nginx('broken/nginx-lost-inheritance', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: PASSED_ON,
    hint: 'a block with a proxy_set_header of its own inherits none',
  },
  {
    name: 'HAProxy: no forwardfor',
    hops: [haproxy('broken/haproxy-no-forwardfor', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: { ...PASSED_ON, 'X-Forwarded-For, 20 kB': 'HTTP 400' },
    hint: 'option forwardfor',
  },
  {
    name: 'Apache: ProxyAddHeaders Off',
    hops: [apache('broken/apache-proxy-add-headers-off', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: {
      ...PASSED_ON,
      'X-Forwarded-For, 20 kB': 'HTTP 400',
      'Connection: X-Forwarded-For': 'HEADER_MISSING',
    },
    hint: 'ProxyPass adds the header unless ProxyAddHeaders is Off',
  },
  {
    name: 'nginx: no real_ip_recursive',
    hops: [
      nginx('nginx/append', OUTER),
      nginx('nginx/append', INNER),
      nginx('broken/nginx-not-recursive', INNERMOST, ALL_PROXIES),
    ],
    // Against a simulator every address may pay; in life a private one is refused without being asked for.
    clientIp: { trust: [INNERMOST], nonPublic: 'reject' },
    outcomes: { ...every('NOT_PUBLIC'), 'X-Forwarded-For, 20 kB': 'HTTP 400' },
    hint: OUTER,
  },
  {
    name: 'trust: nobody, behind nginx',
    hops: [nginx('nginx/edge', OUTER)],
    clientIp: { trust: 'none', nonPublic: 'reject' },
    outcomes: every('NOT_PUBLIC'),
    hint: `clientIp: { trust: ['${OUTER}'] }`,
  },
  {
    name: 'trust: one proxy of two',
    hops: [nginx('nginx/append', OUTER), nginx('nginx/append', INNER)],
    clientIp: { trust: [INNER], nonPublic: 'reject' },
    outcomes: { ...every('NOT_PUBLIC'), 'X-Forwarded-For, 20 kB': 'HTTP 400' },
    hint: `clientIp: { trust: ['${INNER}', '${OUTER}'] }`,
  },
  {
    name: 'trust: a range with visitors in it',
    hops: [nginx('nginx/edge', OUTER)],
    clientIp: { trust: ['loopback'] },
    outcomes: every('ALL_TRUSTED'),
    hint: '<each proxy, and nothing else>',
  },
  {
    name: 'trust: { hops: 2 } behind one',
    hops: [nginx('nginx/edge', OUTER)],
    clientIp: { trust: { hops: 2 } },
    outcomes: every('CHAIN_TOO_SHORT'),
    hint: 'clientIp: { trust: { hops: 1 } }',
  },
  {
    name: 'header: X-Real-IP behind two',
    hops: [nginx('nginx/append', OUTER), nginx('nginx/append', INNER)],
    clientIp: { trust: [INNER], header: 'x-real-ip', nonPublic: 'reject' },
    outcomes: { ...every('NOT_PUBLIC'), 'X-Forwarded-For, 20 kB': 'HTTP 400' },
    hint: OUTER,
  },
  {
    name: 'header: one that nobody sets',
    hops: [nginx('nginx/edge', OUTER)],
    clientIp: { trust: [OUTER], header: 'cf-connecting-ip' },
    outcomes: {
      ...every('HEADER_MISSING'),
      'headers of CDNs and libraries': 'sent 203.0.113.66',
      'all of them at once': 'sent 203.0.113.66',
    },
    hint: 'Cloudflare',
  },
];

/** Mistakes that no application can see: the proxy itself vouches for what a visitor invented. */
export const BELIEVED_MISTAKES: readonly SetUp[] = [
  {
    name: 'nginx: set_real_ip_from 0.0.0.0/0',
    hops: [nginx('broken/nginx-real-ip-from-anybody', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: {
      'X-Forwarded-For': 'sent 203.0.113.66',
      'X-Forwarded-For, many': 'sent 203.0.113.66',
      'X-Forwarded-For, private': 'sent 10.0.0.8',
      'X-Forwarded-For, our own proxies': 'sent 203.0.113.66',
      'X-Forwarded-For, commas': 'sent 203.0.113.66',
      'X-Forwarded-For, with a port': 'sent 203.0.113.66',
      'X-Forwarded-For, IPv6': 'sent 2001:db8::66',
      'X-Forwarded-For, three lines': 'sent 203.0.113.66',
      'X-Forwarded-For, 20 kB': 'sent 203.0.113.66',
      'all of them at once': 'sent 203.0.113.66',
      'Connection: X-Forwarded-For': 'sent 203.0.113.66',
      'forged, then honest': 'sent 203.0.113.66',
    },
  },
  {
    name: 'Apache: RemoteIPHeader without a list',
    hops: [apache('broken/apache-remoteip-without-list', OUTER)],
    clientIp: { trust: [OUTER] },
    // mod_remoteip accepts no private address here, and nothing with a port.
    outcomes: {
      'X-Forwarded-For': 'sent 203.0.113.66',
      'X-Forwarded-For, many': 'sent 203.0.113.66',
      'X-Forwarded-For, IPv6': 'sent 203.0.113.66',
      'X-Forwarded-For, three lines': 'sent 203.0.113.66',
      'X-Forwarded-For, 20 kB': 'HTTP 400',
      'all of them at once': 'sent 203.0.113.66',
      'Connection: X-Forwarded-For': 'sent 203.0.113.66',
      'forged, then honest': 'sent 203.0.113.66',
    },
  },
  {
    name: 'HAProxy: forwardfor if-none',
    hops: [haproxy('broken/haproxy-if-none', OUTER)],
    clientIp: { trust: [OUTER] },
    outcomes: {
      'X-Forwarded-For': 'sent 203.0.113.66',
      'X-Forwarded-For, many': 'sent 192.0.2.9',
      'X-Forwarded-For, private': 'sent 192.168.1.1',
      'X-Forwarded-For, our own proxies': 'sent 127.0.0.1',
      'X-Forwarded-For, no address': 'ITEM_INVALID',
      'X-Forwarded-For, empty': 'HEADER_MISSING',
      'X-Forwarded-For, commas': 'sent 203.0.113.66',
      'X-Forwarded-For, with a port': 'sent 203.0.113.66',
      'X-Forwarded-For, IPv6': 'sent 203.0.113.66',
      'X-Forwarded-For, three lines': 'sent 203.0.113.66',
      'X-Forwarded-For, 20 kB': 'HTTP 400',
      'all of them at once': 'sent 203.0.113.66',
      'Connection: X-Forwarded-For': 'sent 203.0.113.66',
      'forged, then honest': 'sent 203.0.113.66',
    },
  },
  {
    // A header of one address says nothing of the way it came: nginx hands on what it got from anybody.
    name: "the CDN's header, around the CDN",
    hops: [nginx('src/cdn', OUTER), nginx('nginx/append', INNER)],
    clientIp: { trust: [INNER], header: 'ali-cdn-real-ip' },
    entry: 1,
    outcomes: {
      ...every('HEADER_MISSING'),
      'X-Forwarded-For, 20 kB': 'HTTP 431',
      'headers of CDNs and libraries': 'sent 203.0.113.66',
      'all of them at once': 'sent 203.0.113.66',
    },
  },
  {
    // The weakness of { hops } that the documentation speaks of: it asks no peer.
    name: '{ hops: 1 }, around the proxy',
    hops: [nginx('nginx/edge', OUTER)],
    clientIp: { trust: { hops: 1 } },
    entry: 1,
    outcomes: PASSED_ON,
  },
];

function every(outcome: Outcome): Outcomes {
  return Object.fromEntries(SHAPE_NAMES.map((name) => [name, outcome]));
}
