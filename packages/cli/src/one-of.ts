import { usage } from './failure.js';

/** The value of an option with a few known values, however it is capitalised. @throws {Failure} of usage */
export function oneOf<Value extends string>(option: string, given: string, values: readonly Value[]): Value {
  const value = values.find((candidate) => candidate.toLowerCase() === given.toLowerCase());
  if (value !== undefined) return value;
  throw usage({ en: `${option} is one of ${values.join(', ')}`, zh: `${option} 可选：${values.join('、')}` });
}
