import { HELP, parseCommandLine, type DemoOptions } from './command-line.js';
import { makePayment, type Journey } from './journey.js';
import { Narrator } from './narrator.js';
import { phoneAddress } from './phone-address.js';
import { FRAMEWORKS, startShop, type RunningShop } from './shop-server.js';
import { startSimulator, type RunningSimulator } from './simulator-process.js';

const INTERRUPTED = 130;

async function main(): Promise<number> {
  let options: DemoOptions;
  try {
    options = parseCommandLine(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
  const narrator = new Narrator({ write: (text) => void process.stdout.write(text), colour });
  return run(options, narrator, untilStopped());
}

/** @param stopped settles when the person has had enough */
async function run({ once, framework }: DemoOptions, narrator: Narrator, stopped: Promise<void>): Promise<number> {
  const createShop = await FRAMEWORKS[framework]?.();
  if (!createShop) throw new TypeError(`no shop for ${framework}`);
  const simulator = await startSimulator();
  try {
    const shop = await startShop(createShop, simulator);
    try {
      const address = await phoneAddress();
      narrator.heading('微信支付 H5：一次完整的付款', 'WeChat Pay H5: one whole payment');
      narrator.address('phone', address);
      narrator.address('shop', shop.url, framework);
      narrator.address('wechat', simulator.url, `simulated, process ${simulator.pid}`);
      narrator.remark('每一行都是收到消息的一方自己的记录。', 'Every line is what the receiver recorded.');
      const code = await Promise.race([pay({ shop, simulator, narrator, phoneAddress: address }), stopped]);
      if (code === undefined) return INTERRUPTED;
      if (!once) {
        inviteToTry(shop, simulator, narrator);
        await stopped;
      }
      return code;
    } finally {
      await shop.stop();
    }
  } finally {
    await simulator.stop();
  }
}

/** @returns the exit code: whether all records agree */
async function pay(journey: Journey): Promise<number> {
  const { narrator } = journey;
  const comparisons = await makePayment(journey);
  narrator.heading('核对各方记录', 'The records, held against each other');
  for (const comparison of comparisons) narrator.comparison(comparison);
  const agree = comparisons.every((comparison) => comparison.agree);
  if (agree) narrator.verdict(true, '各方记录一致', 'The records agree');
  else narrator.verdict(false, '各方记录不一致', 'The records do not agree');
  return agree ? 0 : 1;
}

function inviteToTry(shop: RunningShop, simulator: RunningSimulator, narrator: Narrator): void {
  narrator.heading('现在轮到您：在浏览器中打开', 'Your turn: open in a browser');
  narrator.address('shop', `${shop.url}/`, '购买 buy');
  narrator.address('wechat', `${simulator.url}/`, '订单与通知 orders and notifications');
  narrator.remark('按 Ctrl-C 结束。', 'Ctrl-C ends it.');
  simulator.events.subscribe((event) => narrator.event(event));
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
