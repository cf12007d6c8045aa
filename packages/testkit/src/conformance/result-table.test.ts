import { conformanceCases } from './index.js';
import { COMBINATIONS, resultTable, type JestResults } from './result-table.js';

type Assertion = JestResults['testResults'][number]['assertionResults'][number];

const everything = COMBINATIONS.flatMap((combination) =>
  conformanceCases.map(({ id, title }): Assertion => ({
    ancestorTitles: [combination],
    title: `${id} ${title}`,
    status: 'passed',
  })),
);

function tableOf(assertionResults: readonly Assertion[]) {
  return resultTable({ testResults: [{ assertionResults }] });
}

test('every case passed in every combination', () => {
  const { text, complete } = tableOf(everything);
  expect(complete).toBe(true);
  expect(text).toContain(`${everything.length} of ${everything.length}`);
  expect(text.split('\n')).toHaveLength(conformanceCases.length + 4);
});

test.each([
  ['failed', '✗'],
  ['pending', '–'],
  ['todo', '–'],
])('one test that is %s makes the table incomplete', (status, mark) => {
  const [first, ...others] = everything;
  const { text, complete } = tableOf([{ ...(first as Assertion), status }, ...others]);
  expect(complete).toBe(false);
  expect(text.split('\n')[2]).toMatch(new RegExp(`^N01 ${mark}`));
});

test('a combination that did not run makes it incomplete', () => {
  const { text, complete } = tableOf(everything.filter(({ ancestorTitles }) => ancestorTitles[0] !== 'koa 2'));
  expect(complete).toBe(false);
  expect(text).toContain(`${conformanceCases.length * (COMBINATIONS.length - 1)} of ${everything.length}`);
});
