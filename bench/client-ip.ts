import { createClientIpResolver } from '@wechat-h5/core';
import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/**
 * The resolver against proxy-addr's compiled trust, in one interleaved run: every round times both sides of every case,
 * in random order, and a case's ratio is the median of the rounds' ratios. proxy-addr is given its header ready; the
 * resolver looks for it among all the headers of a phone's request. Only the resolver validates.
 */
const TRUST = ['127.0.0.1', '10.0.0.0/8', '100.64.0.0/10', '198.51.100.0/24', '2001:db8:1::/48', 'fc00::/7'];
const MANY_RANGES = [...TRUST, ...Array.from({ length: 38 }, (_, i) => `198.18.${i}.0/24`)];

interface Case {
  name: string;
  remoteAddress: string;
  forwardedFor: string;
  trust?: string[];
}

const CASES: Case[] = [
  { name: '1 hop', remoteAddress: '10.0.0.2', forwardedFor: '223.104.111.97' },
  { name: '1 hop, 44 ranges', remoteAddress: '10.0.0.2', forwardedFor: '223.104.111.97', trust: MANY_RANGES },
  { name: '3 hops, 2 forged', remoteAddress: '10.0.0.2', forwardedFor: '6.6.6.6, 7.7.7.7, 223.104.111.97' },
  { name: '3 hops, 2 trusted', remoteAddress: '10.0.0.2', forwardedFor: '223.104.111.97, 198.51.100.30, 10.0.0.3' },
  { name: 'IPv4-mapped peer', remoteAddress: '::ffff:10.0.0.2', forwardedFor: '223.104.111.97' },
  { name: 'IPv6 payer', remoteAddress: '10.0.0.2', forwardedFor: '240e:b0:203:4e90:2535:6ee1:61ac:ffe5' },
  { name: 'IPv6 proxy and payer', remoteAddress: 'fd00::2', forwardedFor: '240e:b0:203:4e90:2535:6ee1:61ac:ffe5' },
  {
    name: '10,000 forged entries',
    remoteAddress: '10.0.0.2',
    forwardedFor: `${'6.6.6.6, '.repeat(9_999)}223.104.111.97`,
  },
  {
    name: '10,000 trusted entries',
    remoteAddress: '10.0.0.2',
    forwardedFor: `223.104.111.97${', 10.0.0.1'.repeat(9_999)}`,
  },
];

const ROUNDS = Number(process.env['ROUNDS'] ?? 41);
const BATCH_NS = 4e6;

interface Contest {
  name: string;
  ours: Side;
  theirs: Side;
}

interface Side {
  run(): unknown;
  batch: number;
  times: number[];
}

function contestOf({ name, remoteAddress, forwardedFor, trust = TRUST }: Case): Contest {
  const resolver = createClientIpResolver({ trust });
  const request = { remoteAddress, rawHeaders: phoneHeaders(forwardedFor) };
  const trusts = proxyAddr.compile(trust);
  // proxy-addr reads these two properties and no other.
  const message = {
    headers: { 'x-forwarded-for': forwardedFor },
    socket: { remoteAddress },
  } as unknown as IncomingMessage;
  const ours = () => {
    try {
      return resolver.resolve(request).ip;
    } catch (error) {
      return error;
    }
  };
  return { name, ours: side(ours), theirs: side(() => proxyAddr(message, trusts)) };
}

function side(run: () => unknown): Side {
  for (let i = 0; i < 2_000; i++) run();
  let batch = 1;
  while (timed(run, batch) * batch < BATCH_NS) batch *= 2;
  return { run, batch, times: [] };
}

/** Nanoseconds per call. */
function timed(run: () => unknown, calls: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run();
  return Number(process.hrtime.bigint() - start) / calls;
}

function phoneHeaders(forwardedFor: string): string[] {
  return [
    ['Host', 'pay.example.com'],
    ['X-Real-IP', '223.104.111.97'],
    ['X-Forwarded-For', forwardedFor],
    ['X-Forwarded-Proto', 'https'],
    ['Connection', 'close'],
    ['Content-Length', '27'],
    ['User-Agent', 'Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36'],
    ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['Accept-Encoding', 'gzip, deflate, br'],
    ['Accept-Language', 'zh-CN,zh;q=0.9'],
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Referer', 'https://pay.example.com/cart'],
  ].flat();
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const contests = CASES.map(contestOf);
for (let round = 0; round < ROUNDS; round++) {
  for (const contestant of shuffled(contests.flatMap(({ ours, theirs }) => [ours, theirs]))) {
    contestant.times.push(timed(contestant.run, contestant.batch));
  }
}

console.log(`Node ${process.version}, ${ROUNDS} interleaved rounds, medians\n`);
console.log('| case | resolver, ns | proxy-addr, ns | resolver ÷ proxy-addr |\n| --- | ---: | ---: | ---: |');
for (const { name, ours, theirs } of contests) {
  const ratio = median(ours.times.map((time, round) => time / theirs.times[round]!));
  console.log(
    `| ${name} | ${median(ours.times).toFixed(0)} | ${median(theirs.times).toFixed(0)} | ${ratio.toFixed(2)} |`,
  );
}
