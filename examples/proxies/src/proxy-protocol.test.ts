import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { runnable } from '@wechat-h5/testkit/proxies';
import { INNER, OUTER, VISITOR } from './addresses.js';
import { deploy, type Deployment } from './deployment.js';
import { apache, haproxy, nginx, softwareOf, type SetUp } from './set-up.js';
import { Visitor } from './visitor.js';

/** What HAProxy would say of somebody at another address; here a visitor says it. */
const FORGED_PREFACE = `PROXY TCP4 203.0.113.66 ${INNER} 51234 80\r\n`;

const AROUND_HAPROXY = { clientIp: { trust: [INNER] }, entry: 1 };

let simulator: Simulator;
let deployment: Deployment | undefined;

beforeAll(async () => {
  simulator = await createSimulator();
});

afterEach(async () => {
  await deployment?.stop();
  deployment = undefined;
});

afterAll(async () => {
  await simulator.stop();
});

describe('the PROXY protocol', () => {
  const straight: SetUp = {
    name: 'straight into Node: answered with 400, nothing is ordered',
    hops: [haproxy('haproxy/proxy-protocol', OUTER)],
    clientIp: { trust: [OUTER] },
  };
  const toNginx: SetUp = {
    ...AROUND_HAPROXY,
    name: 'of a visitor, to nginx: read, and not believed',
    hops: [haproxy('haproxy/proxy-protocol', OUTER), nginx('nginx/behind-proxy-protocol', INNER)],
  };
  const toApache: SetUp = {
    ...AROUND_HAPROXY,
    name: 'of a visitor, to Apache: believed; nobody else may reach that port',
    hops: [haproxy('haproxy/proxy-protocol', OUTER), apache('apache/behind-proxy-protocol', INNER)],
  };

  for (const setUp of runnable([straight], softwareOf)) {
    test(`${setUp.name}`, async () => {
      deployment = await deploy(setUp, simulator);
      expect(await deployment.order([])).toMatchObject({ outcome: 'HTTP 400', answer: undefined });
    });
  }

  for (const setUp of runnable([toNginx], softwareOf)) {
    test(`${setUp.name}`, async () => {
      deployment = await deploy(setUp, simulator);
      expect(await orderWithPreface(deployment)).toBe('right');
    });
  }

  for (const setUp of runnable([toApache], softwareOf)) {
    test(`${setUp.name}`, async () => {
      deployment = await deploy(setUp, simulator);
      expect(await orderWithPreface(deployment)).toBe('sent 203.0.113.66');
    });
  }
});

async function orderWithPreface(running: Deployment): Promise<string> {
  const visitor = new Visitor(VISITOR, FORGED_PREFACE);
  try {
    return (await running.order([], visitor)).outcome;
  } finally {
    visitor.leave();
  }
}
