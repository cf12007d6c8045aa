import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { captureRequest, isPending, receiveNotification, sendReply } from './adapter.js';
import { createWechatH5, type Payment, type Problem, type WechatH5Options } from './index.js';
import { signedNotification } from './testing.js';

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const NIGHTLY = process.env['NIGHTLY'] === '1';

let server: Server;
let agent: Agent;
let problems: Problem[];

/** A server that does nothing but answer notifications. */
async function serve(options: Partial<WechatH5Options>): Promise<void> {
  problems = [];
  const wechatH5 = createWechatH5({
    merchant: MERCHANT,
    notifyUrl: 'https://pay.example.com/notify',
    findOrder: async () => ({ totalFee: 100 }),
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  server = createServer((incoming, response) => {
    void receiveNotification(wechatH5, incoming, captureRequest(incoming)).then((answer) => {
      if (!isPending(answer)) sendReply(response, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, resolve));
  agent = new Agent({ maxSockets: Infinity });
}

afterEach(async () => {
  agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const port = (): number => (server.address() as AddressInfo).port;

const bodyOf = (order: number): string =>
  signedNotification({ out_trade_no: `ORDER_${order}`, total_fee: '100' }, MERCHANT);

interface Answer {
  status: number;
  text: string;
}

/** Posts over a connection of its own. */
function post(body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const posting = request({ port: port(), host: '127.0.0.1', method: 'POST', agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    posting.on('error', reject).end(body);
  });
}

const isSuccess = ({ status, text }: Answer): boolean =>
  status === 200 && text.includes('<return_code><![CDATA[SUCCESS]]>');
const isShed = ({ status, text }: Answer): boolean => status === 503 && text.includes('<return_code><![CDATA[FAIL]]>');

/** Handlers that end when they are told to. */
function heldHandler(): { onPaid: (payment: Payment) => Promise<void>; runs: string[]; release: () => void } {
  const runs: string[] = [];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const onPaid = async ({ outTradeNo }: Payment): Promise<void> => {
    runs.push(outTradeNo);
    await released;
  };
  return { onPaid, runs, release };
}

/** Waits for a state that has to come; the test's own timeout says when it does not. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('I14: a thousand duplicates at once run the handler once', async () => {
  const { onPaid, runs, release } = heldHandler();
  await serve({ onPaid, maxConcurrentNotifications: 2000 });
  const body = bodyOf(1);
  const answers = Promise.all(Array.from({ length: 1000 }, () => post(body)));
  await until(() => runs.length > 0);
  setTimeout(release, 50);
  const replies = await answers;
  expect(runs).toEqual(['ORDER_1']);
  // On a machine too slow for a thousand connections some meet the deadline: FAIL, and no second run either.
  expect(replies.some(isSuccess)).toBe(true);
  expect(replies.filter((answer) => !isSuccess(answer) && !answer.text.includes('CDATA[FAIL]'))).toEqual([]);
  expect(isSuccess(await post(body))).toBe(true);
  expect(runs).toHaveLength(1);
});

test('I15: ten times the capacity is shed with FAIL, and all of it is taken when it comes again', async () => {
  const { onPaid, runs, release } = heldHandler();
  await serve({ onPaid, maxConcurrentNotifications: 20 });
  const first = Array.from({ length: 20 }, (_, order) => post(bodyOf(order)));
  await until(() => runs.length === 20);
  const beyond = Array.from({ length: 180 }, (_, i) => bodyOf(20 + i));
  // Answered while the others are still at work: nobody waits in a queue.
  const shed = await Promise.all(beyond.map(post));
  expect(shed.filter((answer) => !isShed(answer))).toEqual([]);
  expect(runs).toHaveLength(20);
  expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['OVERLOADED']));
  release();
  expect((await Promise.all(first)).filter((answer) => !isSuccess(answer))).toEqual([]);
  for (let from = 0; from < beyond.length; from += 20) {
    const repeated = await Promise.all(beyond.slice(from, from + 20).map(post));
    expect(repeated.filter((answer) => !isSuccess(answer))).toEqual([]);
  }
  expect(new Set(runs).size).toBe(200);
  expect(runs).toHaveLength(200);
});

describe('X34: many open notifications', () => {
  /** Says that a body will come, sends half of it, and waits. */
  async function openSlowly(): Promise<Socket> {
    const body = bodyOf(1);
    const socket = connect(port(), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(`POST /notify HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
    socket.write(body.slice(0, body.length / 2));
    return socket;
  }

  async function answerOn(socket: Socket): Promise<string> {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return chunk.toString('latin1');
  }

  test('half-sent ones beyond a bound get FAIL at once, the others when their time is over; then there is room', async () => {
    await serve({ onPaid: () => {}, maxConcurrentNotifications: 5 });
    const sockets = await Promise.all(Array.from({ length: 80 }, openSlowly));
    const ends = sockets.map((socket) => once(socket, 'end'));
    const answers = await Promise.all(sockets.map(answerOn));
    const shed = answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '));
    // Ten bodies may be on their way for each notification that is worked on.
    expect(shed.length).toBeGreaterThanOrEqual(30);
    expect(
      answers.filter((answer) => !/^HTTP\/1\.1 (?:503|408) /.test(answer) || !answer.includes('CDATA[FAIL]')),
    ).toEqual([]);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['OVERLOADED', 'BODY_TIMEOUT']));
    // Half a body is left on each: nothing could follow it, and whoever sent it must not keep the connection.
    await Promise.all(ends);
    expect(answers.filter((answer) => !/^connection: close\r$/im.test(answer))).toEqual([]);
    expect(isSuccess(await post(bodyOf(2)))).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  test('whoever hangs up gives the place back at once', async () => {
    await serve({ onPaid: () => {}, maxConcurrentNotifications: 5 });
    for (let round = 1; round <= 12; round++) {
      const sockets = await Promise.all(Array.from({ length: 5 }, openSlowly));
      // The bytes are read before the end of the connection is seen.
      for (const socket of sockets) socket.end();
      await until(() => problems.length === 5 * round);
      expect(isSuccess(await post(bodyOf(2)))).toBe(true);
    }
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['BODY_ABORTED']));
  });
});

/** Runs a program of its own: a heap, or a coverage, that no other test has touched. */
async function run<T>(program: string, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', `${__dirname}/${program}`, ...args],
    { maxBuffer: 1e7 },
  );
  return JSON.parse(stdout) as T;
}

test(
  'memory stays flat, whatever is sent',
  async () => {
    const count = NIGHTLY ? 200_000 : 20_000;
    const { before, after, replies } = await run<{
      before: number;
      after: number;
      replies: Record<string, number>;
    }>('notification-memory.fixture.ts', String(count));
    await serve({});
    expect(replies).toEqual({ SUCCESS: count / 2, FAIL: count / 2 });
    // V8 itself takes some hundred kilobytes more or less. Anything kept for each notification takes at least 100 bytes:
    // 2 MB in the ordinary run, 20 MB in the nightly one.
    expect((after - before) / 1024).toBeLessThan(NIGHTLY ? 2048 : 1024);
  },
  NIGHTLY ? 1_200_000 : 120_000,
);

test('X28: twice the bytes take at most twice the steps, of whatever they are', async () => {
  const steps = await run<Record<string, number[]>>('notification-steps.fixture.ts');
  await serve({});
  expect(Object.keys(steps).length).toBeGreaterThan(15);
  for (const [input, counts] of Object.entries(steps)) {
    for (let i = 1; i < counts.length; i++) {
      // What does not depend on the size, and the refusal at a limit, is the same for both.
      const ratio = counts[i]! / counts[i - 1]!;
      expect([input, counts, ratio <= 2.1]).toEqual([input, counts, true]);
    }
  }
}, 120_000);
