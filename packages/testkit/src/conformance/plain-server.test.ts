import { conformanceCases } from './index.js';
import { plainHarness } from './plain-server.fixture.js';

// The adapter that the sabotaged ones are made from has to be right itself.
test.each(conformanceCases)('$id $title', ({ run }) => run(plainHarness('node:http')));
