export type { BillColumns } from './bill.js';
export type { SimulatorEvent, SimulatorEvents } from './events.js';
export type { Faults, FaultTarget, Forgery, GatewayFault, GatewayOperation, RefundForgery } from './faults.js';
export type { PemPair, Pkcs12File } from './identities.js';
export type { NotificationAttempt, SimulatedNotifications } from './notifier.js';
export type {
  PaymentChoice,
  PaymentLink,
  SignType,
  SimulatedOrder,
  SimulatedOrders,
  SimulatedPayment,
  TradeState,
} from './orders.js';
export type { RefundChoice, RefundStatus, SimulatedRefund, SimulatedRefunds } from './refunds.js';
export type { MerchantAccount, SimulatedMerchant } from './simulated-merchant.js';
export { createSimulator, type RefundResult, type Simulator, type SimulatorOptions } from './simulator.js';
export { SimulatorError, type SimulatorErrorCode } from './simulator-error.js';
