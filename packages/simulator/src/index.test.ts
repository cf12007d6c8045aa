import * as simulator from './index.js';

test('the public names', () => {
  expect(Object.keys(simulator).sort()).toEqual(['SimulatorError', 'createSimulator']);
});
