import { randomInt } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { plainEnvironment, run } from './command.js';
import { programsOf } from './readme.js';
import { packAll } from './tarballs.js';
import { ROOT } from './workspace.js';

// The packages as a user gets them: packed, installed by npm into an empty project, type-checked and run there.
jest.setTimeout(5 * 60_000);

/** The second block of the Express README, with the shop around it that its text takes for granted. */
const ACKNOWLEDGING = `
import express from 'express';
import { wechatH5, wechatH5Notify } from '@wechat-h5/express';

const app = express();
const deliver = async (outTradeNo) => console.log(\`deliver \${outTradeNo}: 1990 fen\`);
const compareWithYourOwnTable = async (outTradeNo) => { throw new Error(outTradeNo); };
app.get('/', (req, res) => res.send('<form method="post" action="/pay"></form>'));
app.post('/pay', wechatH5(), async (req, res) => {
  const order = { outTradeNo: \`TEA-\${Date.now()}\`, body: 'Tea', totalFee: 1990 };
  res.redirect(303, (await req.wechatH5.createOrder(order)).mwebUrl);
});
${programsOf('packages/express/README.md')[1]}
app.listen(process.env.PORT);
`;

const PROGRAMS = [
  { from: 'the program of README.md', program: programsOf('README.md')[0] ?? '' },
  { from: 'the program of packages/core/README.md', program: programsOf('packages/core/README.md')[0] ?? '' },
  { from: 'the acknowledging route of packages/express/README.md', program: ACKNOWLEDGING },
];

let folder: string;
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-h5-packed-'));
  const packed = join(folder, 'tarballs');
  mkdirSync(packed);
  tarballs = await packAll(packed);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  { type: 'commonjs', express: '4.22.3', types: '4.17.25', loads: 'require("@wechat-h5/express")' },
  { type: 'module', express: '5.3.0', types: '5.0.6', loads: "from '@wechat-h5/express'" },
])('a new project with "type": "$type" and Express $express', ({ type, express, types, loads }) => {
  let project: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    project = join(folder, type);
    cpSync(join(ROOT, 'packages/testkit/consumer'), project, { recursive: true });
    const files = [...tarballs].map(([name, tarball]) => [name, `file:../tarballs/${basename(tarball)}`]);
    const manifest = {
      name: 'shop',
      private: true,
      type,
      dependencies: { ...Object.fromEntries(files), express },
      devDependencies: { '@types/express': types, '@types/node': '20.19.43' },
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    // The packages find each other among the tarballs: nothing may be looked up under their names.
    writeFileSync(join(project, '.npmrc'), '@wechat-h5:registry=http://127.0.0.1:9/\n');
    // Adapters name frameworks as peers that this project does not use.
    await run('npm', ['install', '--omit=peer', '--no-audit', '--no-fund'], { cwd: project, env: plainEnvironment() });
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill();
      await once(child, 'exit');
    }
  });

  test('their types fit, and a whole payment is taken', async () => {
    // Library declarations are checked as well: ours are among them.
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: project });
    expect(readFileSync(join(project, 'shop.js'), 'utf8')).toContain(loads);
    const report = await run(process.execPath, ['shop.js'], { cwd: project, env: plainEnvironment() });
    expect(JSON.parse(report)).toEqual({
      mwebUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/cgi-bin\/mmpayweb-bin\/checkmweb\?prepay_id=/),
      spbillCreateIp: '203.0.113.9',
      verdicts: ['acknowledged'],
      delivered: [{ outTradeNo: 'PACKED-0001', totalFee: 1990 }],
      repeated: 'SUCCESS',
      confirmed: { state: 'paid', delivered: true, source: 'notification' },
      refused: { code: 'HEADER_MISSING' },
    });
  });

  test.each(PROGRAMS)('$from is paid, from the simulator to the delivery', async ({ program }) => {
    writeFileSync(join(project, 'program.mjs'), program);
    const port = await freePort();
    const shop = `http://127.0.0.1:${port}`;
    const simulator = start(join(project, 'node_modules/.bin/wechat-h5-simulator'), ['--port', '0', '--json']);
    const { environment } = JSON.parse(await nextLine(simulator)) as { environment: Record<string, string> };
    const running = start(process.execPath, ['program.mjs'], {
      ...environment,
      PORT: String(port),
      WECHAT_PAY_NOTIFY_URL: `${shop}/wechat/notify`,
    });
    expect(await (await untilUp(shop, running)).text()).toContain('<form method="post" action="/pay">');

    // What the payer's phone does: post the form, follow to the middle page with the shop as Referer, press Pay there.
    const ordered = await fetch(`${shop}/pay`, { method: 'POST', redirect: 'manual' });
    expect(ordered.status).toBe(303);
    const cashier = await fetch(ordered.headers.get('location') ?? '', { headers: { referer: `${shop}/` } });
    const page = await cashier.text();
    const visit = /name="visit" value="(\w+)"/.exec(page)?.[1] ?? '';
    const action = /action="([^"]*pay)"/.exec(page)?.[1] ?? '';
    const delivered = nextLine(running);
    const paid = await fetch(new URL(action, cashier.url), { method: 'POST', body: new URLSearchParams({ visit }) });
    expect(paid.status).toBe(200);
    expect(await delivered).toMatch(/^deliver TEA-\d+: 1990 fen$/);
  });

  test('the command line finds nothing wrong with the simulator', async () => {
    const simulator = start(join(project, 'node_modules/.bin/wechat-h5-simulator'), ['--port', '0', '--json']);
    const { environment } = JSON.parse(await nextLine(simulator)) as { environment: Record<string, string> };
    const env = { ...plainEnvironment(), ...environment, WECHAT_PAY_NOTIFY_URL: 'http://127.0.0.1:9/wechat/notify' };
    const report = await run(join(project, 'node_modules/.bin/wechat-h5'), ['doctor', '--json'], { cwd: project, env });
    const { ok, checks } = JSON.parse(report) as { ok: boolean; checks: { check: string; status: string }[] };
    expect(ok).toBe(true);
    expect(checks).toContainEqual(expect.objectContaining({ check: 'credentials', status: 'ok' }));
  });

  function start(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Program {
    const child = spawn(command, args, {
      cwd: project,
      env: { ...plainEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    const ended = once(child, 'close').then(([code, signal]) => {
      throw new Error(`${command} ended with ${code ?? signal}: ${complaints}`);
    });
    // It is killed after each test; only who waits for something meanwhile has to know.
    ended.catch(() => {});
    return { lines: createInterface({ input: child.stdout }), ended };
  }
});

interface Program {
  readonly lines: Interface;
  /** Rejects when the program ends. */
  readonly ended: Promise<never>;
}

async function nextLine({ lines, ended }: Program): Promise<string> {
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return line;
}

/** Below the range from which systems take ports for outgoing connections, where any of them could be gone a moment later. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(20_000, 30_000), '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // it is taken
    }
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function untilUp(url: string, { ended }: Program): Promise<Response> {
  for (;;) {
    try {
      return await Promise.race([fetch(url), ended]);
    } catch (error) {
      // fetch says no more than this of a refused connection.
      if ((error as Error).name !== 'TypeError') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
