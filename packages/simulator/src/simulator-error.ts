export type SimulatorErrorCode =
  | 'IN_PRODUCTION'
  | 'NOT_LOOPBACK'
  | 'ORDER_UNKNOWN'
  | 'ORDER_PAID'
  | 'ORDER_CLOSED'
  | 'ORDER_NOT_PAID'
  | 'REFUND_UNKNOWN'
  | 'REFUND_EXISTS'
  | 'REFUND_EXCEEDS'
  | 'REFUND_LIMIT'
  | 'REFUND_PROCESSING'
  | 'REFUND_SETTLED'
  | 'STOPPED';

/** A use of the simulator that cannot be carried out. `code` is stable, `hint` says what to change. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError';
  readonly code: SimulatorErrorCode;
  readonly hint: string;

  constructor(code: SimulatorErrorCode, message: string, hint: string) {
    super(`${message} (${hint})`);
    this.code = code;
    this.hint = hint;
  }
}
