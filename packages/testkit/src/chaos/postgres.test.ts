import { describeWithStores } from '../stores/index.js';
import { postgres } from './stores.js';
import { chaosSuite } from './suite.js';

describeWithStores(['postgres'], 'chaos on postgres', () => {
  chaosSuite(postgres);
});
