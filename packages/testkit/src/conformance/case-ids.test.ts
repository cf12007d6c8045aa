import { conformanceCases } from './index.js';

test('no id is given twice', () => {
  const ids = conformanceCases.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test('a case never changes its meaning: ids and titles are frozen', () => {
  expect(conformanceCases.map(({ id, title }) => `${id} ${title}`)).toMatchSnapshot();
});
