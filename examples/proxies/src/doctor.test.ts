import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { runnable } from '@wechat-h5/testkit/proxies';
import { OUTER, VISITOR } from './addresses.js';
import { deploy, type Deployment } from './deployment.js';
import { BELIEVED_MISTAKES, NAMED_MISTAKES } from './mistakes.js';
import { RIGHT_SET_UPS } from './right-set-ups.js';
import { nginx, softwareOf, type SetUp } from './set-up.js';
import type { HeaderLine } from './visitor.js';

const FORGED: readonly HeaderLine[] = [['X-Forwarded-For', '203.0.113.66']];

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

describe('asked from outside with a forged header, the doctor shows', () => {
  for (const setUp of runnable(only(RIGHT_SET_UPS, 'nginx', 'Apache', 'HAProxy', 'Caddy'), softwareOf)) {
    test(`${setUp.name}: the true address`, async () => {
      deployment = await deploy(setUp, simulator);
      expect((await deployment.doctor(FORGED)).clientIp.clientIp?.ip).toBe(VISITOR);
    });
  }

  // It cannot know better either; whoever asks sees an address that is not theirs, and has the list of what to look for.
  for (const setUp of runnable(BELIEVED_MISTAKES.slice(0, 3), softwareOf)) {
    test(`${setUp.name}: the forged one`, async () => {
      deployment = await deploy(setUp, simulator);
      const { clientIp, checklist } = await deployment.doctor(FORGED);
      expect(clientIp.clientIp?.ip).toBe('203.0.113.66');
      const [server = '', mistake = ''] = setUp.name.split(': ');
      const words = mistake.split(/ without | /).slice(0, 2);
      const advice = checklist.filter(
        (item) => item.server === server && words.every((word) => item.look.includes(word)),
      );
      expect(advice).toHaveLength(1);
    });
  }

  for (const setUp of runnable(only(NAMED_MISTAKES, 'nginx: no proxy_set_header'), softwareOf)) {
    test(`${setUp.name}: to an honest visitor, the line that is missing`, async () => {
      deployment = await deploy(setUp, simulator);
      expect(await deployment.doctor([])).toMatchObject({
        verdict: 'broken',
        clientIp: { suggestion: { line: setUp.hint } },
      });
    });
  }
});

const PASSES_FOR_PUBLIC: SetUp = {
  name: "a proxy that is not trusted, and whose address could be a payer's, is reported once",
  hops: [nginx('nginx/edge', OUTER)],
  clientIp: { trust: 'none' },
};

for (const setUp of runnable([PASSES_FOR_PUBLIC], softwareOf)) {
  test(`${setUp.name}`, async () => {
    deployment = await deploy(setUp, simulator);
    for (const _ of [1, 2]) expect((await deployment.order([])).outcome).toBe(`sent ${OUTER}`);
    expect(deployment.problems).toMatchObject([{ type: 'misconfigured', code: 'PROXY_NOT_TRUSTED' }]);
    expect(deployment.problems[0]?.hint).toContain(`clientIp: { trust: ['${OUTER}'] }`);
  });
}

function only<S extends SetUp>(setUps: readonly S[], ...names: readonly string[]): readonly S[] {
  const found = setUps.filter(({ name }) => names.includes(name));
  if (found.length !== names.length) throw new Error(`There are not all of ${names.join(', ')}`);
  return found;
}
