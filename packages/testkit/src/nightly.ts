import { configureGlobal } from 'fast-check';

// `pnpm nightly` runs the same tests at full size. A property that sets its own numRuns reads NIGHTLY itself.
configureGlobal({ numRuns: 20_000, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false });
