import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { runnable } from '@wechat-h5/testkit/proxies';
import { VISITOR } from './addresses.js';
import { deploy, type Deployment } from './deployment.js';
import { BELIEVED_MISTAKES, NAMED_MISTAKES } from './mistakes.js';
import { RIGHT_SET_UPS } from './right-set-ups.js';
import { softwareOf, type Outcome, type SetUp } from './set-up.js';
import { SHAPE_NAMES } from './shapes.js';
import { expectedOutcomes } from './table.js';
import { Visitor } from './visitor.js';

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

describe("right: whatever a visitor sends, only the visitor's own address goes to WeChat Pay", () => {
  for (const setUp of runnable(RIGHT_SET_UPS, softwareOf)) {
    test(`${setUp.name}`, async () => {
      deployment = await deploy(setUp, simulator);
      const { outcomes, guideSample } = await sendAll(deployment);
      expect(outcomes).toEqual(expectedOutcomes(setUp));
      expect(guideSample).toBe(setUp.guideSample);
    });
  }
});

describe('wrong, and named on the first honest order', () => {
  for (const setUp of runnable(NAMED_MISTAKES, softwareOf)) {
    test(`${setUp.name}`, async () => {
      deployment = await deploy(setUp, simulator);
      const first = await deployment.order([]);
      expect(first.outcome).toBe(setUp.outcomes?.honest);
      expect(first.answer?.error?.hint).toContain(setUp.hint);
      await deployment.order([]);
      // The merchant is told as well, and once.
      expect(deployment.problems).toMatchObject([{ type: 'misconfigured', code: first.outcome }]);
      expect((await sendAll(deployment)).outcomes).toEqual(expectedOutcomes(setUp));
    });
  }
});

describe('wrong, and believed: no application can tell', () => {
  for (const setUp of runnable(BELIEVED_MISTAKES, softwareOf)) {
    test(`${setUp.name}`, async () => {
      deployment = await deploy(setUp, simulator);
      expect((await sendAll(deployment)).outcomes).toEqual(expectedOutcomes(setUp));
    });
  }
});

describe('the expectations', () => {
  const outcomesOf = (setUp: SetUp): Outcome[] => Object.values(expectedOutcomes(setUp));

  test.each(RIGHT_SET_UPS)('$name: the honest are served, and nobody is believed', (setUp) => {
    expect(expectedOutcomes(setUp).honest).toBe('right');
    expect(outcomesOf(setUp).filter((outcome) => outcome.startsWith('sent '))).toEqual([]);
  });

  test.each(BELIEVED_MISTAKES)('$name: somebody is believed', (setUp) => {
    expect(outcomesOf(setUp)).toContain('sent 203.0.113.66');
  });

  test('every deployment has a name of its own', () => {
    const names = [...RIGHT_SET_UPS, ...NAMED_MISTAKES, ...BELIEVED_MISTAKES].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('connections are reused, as the shapes take for granted', () => {
  const rightSetUps = (...names: readonly string[]): readonly SetUp[] =>
    RIGHT_SET_UPS.filter(({ name }) => names.includes(name));

  for (const setUp of runnable(rightSetUps('nginx', 'Apache', 'HAProxy', 'Caddy'), softwareOf)) {
    test(`${setUp.name} keeps the visitor's connection`, async () => {
      deployment = await deploy(setUp, simulator);
      const visitor = new Visitor(VISITOR);
      const first = await deployment.order([['X-Forwarded-For', '203.0.113.66']], visitor);
      const second = await deployment.order([], visitor);
      visitor.leave();
      expect([first, second]).toMatchObject([
        { outcome: 'right', reused: false },
        { outcome: 'right', reused: true },
      ]);
    });
  }

  for (const setUp of runnable(rightSetUps('Apache', 'Caddy'), softwareOf)) {
    test(`${setUp.name} carries orders of two visitors over the same connections to Node`, async () => {
      deployment = await deploy(setUp, simulator);
      expect((await deployment.send('two visitors by turns')).outcome).toBe('right');
      // Four orders, on one connection as a rule; on two when the next order overtakes the end of the one before.
      expect(deployment.connections()).toBeLessThanOrEqual(2);
    });
  }
});

async function sendAll(
  running: Deployment,
): Promise<{ readonly outcomes: Record<string, Outcome>; readonly guideSample: number }> {
  const outcomes: Record<string, Outcome> = {};
  let guideSample = 0;
  for (const name of SHAPE_NAMES) {
    const cell = await running.send(name);
    outcomes[name] = cell.outcome;
    if (cell.guideSample === 'right') guideSample++;
  }
  return { outcomes, guideSample };
}
