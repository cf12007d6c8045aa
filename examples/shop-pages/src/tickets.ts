import { randomBytes } from 'node:crypto';

/** The goods: what a payer shows at the pier. */
export interface Ticket {
  readonly code: string;
  readonly outTradeNo: string;
  readonly transactionId: string;
}

/** Issues tickets and finds them again. A real shop keeps them in its database, unique by transaction id. */
export class TicketOffice {
  readonly #issued: Ticket[] = [];

  /** Once for each payment: the caller is `onPaid`, which runs exactly once to success. */
  issue(payment: { readonly outTradeNo: string; readonly transactionId: string }): Ticket {
    const ticket: Ticket = {
      code: randomBytes(4).toString('hex').toUpperCase(),
      outTradeNo: payment.outTradeNo,
      transactionId: payment.transactionId,
    };
    this.#issued.push(ticket);
    return ticket;
  }

  find(outTradeNo: string): Ticket | undefined {
    return this.#issued.find((ticket) => ticket.outTradeNo === outTradeNo);
  }

  /** Every ticket, in the order of issue. */
  get issued(): readonly Ticket[] {
    return this.#issued;
  }
}
