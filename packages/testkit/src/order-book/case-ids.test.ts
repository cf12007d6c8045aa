import { sharedOrderBookCases } from './index.js';

test('no id is given twice', () => {
  const ids = sharedOrderBookCases.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test('a case never changes its meaning: ids and titles are frozen', () => {
  expect(sharedOrderBookCases.map(({ id, title }) => `${id} ${title}`)).toMatchSnapshot();
});
