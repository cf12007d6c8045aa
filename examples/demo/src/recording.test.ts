import { Recording } from './recording.js';

test('what was recorded before and what comes later is found', async () => {
  const recording = new Recording<number>();
  recording.add(1);
  await expect(recording.when('one', (item) => item === 1)).resolves.toBe(1);
  const later = recording.when('the second above ten', (item) => item > 10, { count: 2 });
  for (const item of [11, 3, 12, 13]) recording.add(item);
  await expect(later).resolves.toBe(12);
  expect(recording.list()).toEqual([1, 11, 3, 12, 13]);
});

test('waiting ends with a reason when nothing comes', async () => {
  const recording = new Recording<number>();
  await expect(recording.when('a miracle', () => true, { within: 20 })).rejects.toThrow('not within 20 ms: a miracle');
});

test('waiting ends at once when nothing can come any more, but what is there stays', async () => {
  const recording = new Recording<number>();
  recording.add(1);
  const never = recording.when('two', (item) => item === 2);
  recording.fail(new Error('the process ended'));
  await expect(never).rejects.toThrow('the process ended');
  await expect(recording.when('two', (item) => item === 2)).rejects.toThrow('the process ended');
  await expect(recording.when('one', (item) => item === 1)).resolves.toBe(1);
});

test('a subscriber gets what comes after it', () => {
  const recording = new Recording<string>();
  recording.add('before');
  const heard: string[] = [];
  recording.subscribe((item) => heard.push(item));
  recording.add('after');
  expect(heard).toEqual(['after']);
});
