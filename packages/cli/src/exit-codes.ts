/** What the process ends with. Stable: scripts decide by them. */
export const EXIT = {
  /** Done; everything is fine. */
  OK: 0,
  /** The answer is no: `doctor` found a failure, bill and book differ, `verify` refuses, `explain` knows nothing, nobody confirmed. */
  NO: 1,
  /** The arguments are wrong. Nothing was done. */
  USAGE: 2,
  /** The environment, a key or a certificate is missing or wrong. Nothing was sent. */
  CONFIGURATION: 3,
  /** WeChat Pay refused, or the state of the order forbids it. */
  REFUSED: 4,
  /** WeChat Pay or the order book could not be reached. Nothing was done. */
  UNREACHABLE: 5,
  /** It was sent and no answer can be believed: run the same command again, or look. */
  UNKNOWN: 6,
  /** A mistake of this program. */
  INTERNAL: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
