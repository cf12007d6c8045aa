import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { requestFor } from './http-notification.js';
import { median, shuffled } from './interleaved.js';

/**
 * What the notify middleware adds to a request. Each server is a process of its own on core 0, the client on core 1;
 * every round puts the same load on all of them, in random order. CPU time of the server's process per request, user and
 * system, is the number to read: requests per second depend on what else the machine does.
 */
const ROUNDS = Number(process.env['ROUNDS'] ?? 9);
const REQUESTS = Number(process.env['REQUESTS'] ?? 1500);
const WARM_UP_ROUNDS = 3;
const CONNECTIONS = 32;
const FRAMEWORKS = ['http', 'express', 'koa', 'nest'] as const;
/** `repeat`: the same notification again and again, verified, found settled, acknowledged. `fresh`: each pays an order. */
const LOADS = ['bare', 'repeat', 'fresh'] as const;

interface Side {
  framework: string;
  load: (typeof LOADS)[number];
  child: ChildProcess;
  port: number;
  cpu: number[];
  perSecond: number[];
}

async function start(framework: string, load: (typeof LOADS)[number]): Promise<Side> {
  const program = fileURLToPath(new URL('http-server.ts', import.meta.url));
  const kind = load === 'bare' ? 'bare' : 'notify';
  const child = fork(program, [framework, kind], {
    execPath: 'taskset',
    // The packages as they are published: a transpiler in between has its own price.
    execArgv: ['-c', '0', process.execPath, '--import', 'tsx'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { framework, load, child, port, cpu: [], perSecond: [] };
}

async function cpuOf({ child }: Side): Promise<number> {
  child.send('cpu');
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: number }];
  return cpu;
}

/** Sends the requests over keep-alive connections, each the next one when its answer is complete. */
function post(port: number, requests: readonly Buffer[]): Promise<void> {
  let sent = 0;
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      const next = (): void => {
        const request = requests[sent++];
        if (request === undefined) socket.end(resolve);
        else socket.write(request);
      };
      socket.setNoDelay().on('connect', next).on('error', reject);
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
        if (!answer.endsWith('</xml>')) return;
        if (!answer.startsWith('HTTP/1.1 200 ') || !answer.includes('CDATA[SUCCESS]')) {
          reject(new Error(`An answer is not SUCCESS: ${answer}`));
        }
        answer = '';
        next();
      });
    });
  return Promise.all(Array.from({ length: CONNECTIONS }, connection)).then(() => {});
}

let orders = 0;

function requestsOf(load: (typeof LOADS)[number]): Buffer[] {
  if (load === 'fresh') return Array.from({ length: REQUESTS }, () => requestFor(`FRESH_${orders++}`));
  return Array<Buffer>(REQUESTS).fill(requestFor('REPEATED_1'));
}

async function measure(side: Side): Promise<void> {
  const requests = requestsOf(side.load);
  const before = await cpuOf(side);
  const start = process.hrtime.bigint();
  await post(side.port, requests);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  side.cpu.push(((await cpuOf(side)) - before) / REQUESTS);
  side.perSecond.push(REQUESTS / seconds);
}

const sides = await Promise.all(FRAMEWORKS.flatMap((framework) => LOADS.map((load) => start(framework, load))));
for (let round = 0; round < WARM_UP_ROUNDS; round++) for (const side of sides) await measure(side);
for (const side of sides) side.cpu.length = side.perSecond.length = 0;
for (let round = 0; round < ROUNDS; round++) for (const side of shuffled(sides)) await measure(side);

const find = (framework: string, load: string): Side =>
  sides.find((side) => side.framework === framework && side.load === load)!;
const http = find('http', 'bare');
console.log(`Node ${process.version}, ${ROUNDS} interleaved rounds of ${REQUESTS} requests, medians\n`);
console.log('| server | CPU µs/request | added, ÷ bare node:http | requests/s | of the bare framework, % |');
console.log('| --- | ---: | ---: | ---: | ---: |');
for (const { framework, load, cpu, perSecond } of sides) {
  const bare = find(framework, 'bare');
  const added = median(cpu.map((time, round) => (time - bare.cpu[round]!) / http.cpu[round]!));
  const kept = median(perSecond.map((rate, round) => (100 * rate) / bare.perSecond[round]!));
  const cells = [median(cpu).toFixed(1), added.toFixed(2), median(perSecond).toFixed(0), kept.toFixed(0)];
  console.log(`| ${framework}, ${load} | ${cells.join(' | ')} |`);
}
for (const { child } of sides) child.disconnect();
