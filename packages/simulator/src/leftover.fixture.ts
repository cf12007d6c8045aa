import { openScene } from './merchant.fixture.js';

// A process of its own: a repetition is due, a connection is kept alive, an event stream is open; then stop.
async function main(): Promise<void> {
  const scene = await openScene({ timeScale: 1 });
  scene.answer = () => 'no';
  await scene.place('order-1');
  await scene.simulator.pay('order-1');
  const stream = await fetch(`${scene.simulator.url}/__simulator/events`, { headers: { accept: 'text/event-stream' } });
  await scene.stop();
  await stream.text().catch(() => undefined);
  process.stdout.write('stopped\n');
}

void main();
