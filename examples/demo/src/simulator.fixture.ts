import { createSimulator, type Simulator, type SimulatorEvent } from '@wechat-h5/simulator';
import { Recording } from './recording.js';
import type { RunningSimulator } from './simulator-process.js';

/**
 * A simulator in this process, as the demo sees one.
 *
 * @param retell what becomes of an event of its record on the way: the record can be made to lie
 */
export async function startSimulatorHere(
  retell: (event: SimulatorEvent) => SimulatorEvent = (event) => event,
): Promise<RunningSimulator & { readonly simulator: Simulator }> {
  const simulator = await createSimulator();
  const events = new Recording<SimulatorEvent>();
  simulator.events.subscribe((event) => events.add(retell(event)));
  return {
    simulator,
    url: simulator.url,
    pid: process.pid,
    merchant: simulator.merchant,
    events,
    order: async (outTradeNo) => simulator.orders.get(outTradeNo),
    forge: async (outTradeNo) => void (await simulator.faults.forgeNotification(outTradeNo)),
    stop: () => simulator.stop(),
  };
}
