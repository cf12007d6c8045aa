import { lmdb } from './stores.js';
import { chaosSuite } from './suite.js';

describe('chaos on lmdb', () => {
  chaosSuite(lmdb);
});
