import { describeWithStores } from '../stores/index.js';
import { redis } from './stores.js';
import { chaosSuite } from './suite.js';

describeWithStores(['redis'], 'chaos on redis', () => {
  chaosSuite(redis);
});
