import { AssertionError } from 'node:assert';
import { conformanceCases } from '../index.js';
import { plainHarness } from '../plain-server.fixture.js';
import { addressingSabotages } from './addressing.fixture.js';
import { answeringSabotages } from './answering.fixture.js';
import { believingSabotages } from './believing.fixture.js';
import { readingSabotages } from './reading.fixture.js';

const sabotages = [...readingSabotages, ...believingSabotages, ...answeringSabotages, ...addressingSabotages];

describe.each(sabotages)('an adapter that $does', ({ does, changes, caughtBy }) => {
  test.each(conformanceCases.filter(({ id }) => caughtBy.includes(id)))('is caught by $id', async ({ run }) => {
    await expect(run(plainHarness(does, changes))).rejects.toBeInstanceOf(AssertionError);
  });
});

test('every case has caught somebody: none of them passes whatever an adapter does', () => {
  const catching = new Set(sabotages.flatMap(({ caughtBy }) => caughtBy));
  expect(conformanceCases.map(({ id }) => id).filter((id) => !catching.has(id))).toEqual([]);
  expect([...catching].filter((id) => !conformanceCases.some((one) => one.id === id))).toEqual([]);
});
