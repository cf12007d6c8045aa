/** Milliseconds by the size of the table. */
export interface Series {
  readonly name: string;
  readonly p50: readonly number[];
  readonly p95: readonly number[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 56;
const RIGHT = 176;
const TOP = 56;
const BOTTOM = 56;
const STEPS = [1, 2, 5, 10, 20, 50, 100];

/** An SVG with its own background, readable in a light page and in a dark one: time against the size of the table. */
export function scalePlot(sizes: readonly number[], series: readonly Series[], goal: number, about: string): string {
  const most = Math.max(goal * 1.2, ...series.flatMap(({ p95 }) => p95));
  const [least, largest] = [Math.log10(Math.min(...sizes)), Math.log10(Math.max(...sizes))];
  const x = (size: number): number =>
    round(LEFT + ((Math.log10(size) - least) / (largest - least || 1)) * (WIDTH - LEFT - RIGHT));
  const y = (ms: number): number => round(HEIGHT - BOTTOM - (ms / most) * (HEIGHT - TOP - BOTTOM));
  const step = STEPS.find((one) => most / one <= 8) ?? most;
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  const [start, end] = [LEFT, WIDTH - RIGHT];
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" class="page"/>`,
    `<text x="${LEFT}" y="24" class="title">Time of one call against orders in the table</text>`,
    `<text x="${LEFT}" y="42">${about}</text>`,
    ...ticks.flatMap((ms) => [
      `<path d="M${start} ${y(ms)}H${end}" class="grid"/>`,
      `<text x="${start - 8}" y="${y(ms) + 4}" text-anchor="end">${ms} ms</text>`,
    ]),
    ...sizes.map(
      (size) =>
        `<text x="${x(size)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
    ),
    `<text x="${(start + end) / 2}" y="${HEIGHT - 14}" text-anchor="middle">orders in the table, one of a hundred due (log scale)</text>`,
    `<path d="M${start} ${y(goal)}H${end}" class="goal"/>`,
    `<text x="${end + 8}" y="${y(goal) + 4}">goal, p95: ${goal} ms</text>`,
  ];
  const labels = spread(
    series.flatMap(({ name, p50, p95 }, index) =>
      [['p50', p50] as const, ['p95', p95] as const].map(([share, values]) => ({
        text: `${name}, ${share}: ${(values.at(-1) ?? NaN).toFixed(1)}`,
        color: `c${index}`,
        values,
        share,
        at: y(values.at(-1) ?? 0),
      })),
    ),
    y(goal),
  );
  for (const { text, color, values, share, at } of labels) {
    const points = values.map((ms, index) => `${x(sizes[index] ?? 1)} ${y(ms)}`);
    parts.push(`<path d="M${points.join('L')}" class="${color} ${share}"/>`);
    for (const point of points) {
      const [cx, cy] = point.split(' ');
      parts.push(`<circle cx="${cx}" cy="${cy}" r="3" class="${color} dot"/>`);
    }
    parts.push(`<text x="${end + 8}" y="${at + 4}" class="${color} label">${text}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Time of one call against orders in the table">
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.page { fill: #ffffff } .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
.grid { stroke: #d0d7de } .goal { stroke: #57606a; stroke-dasharray: 2 4 }
path { fill: none } .p50, .p95 { stroke-width: 2 } .p95 { stroke-dasharray: 7 4 }
.c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #8250df } .c3 { stroke: #6e7781 }
.c0.dot, .c0.label { fill: #0969da } .c1.dot, .c1.label { fill: #bc4c00 } .c2.dot, .c2.label { fill: #8250df } .c3.dot, .c3.label { fill: #6e7781 }
text.label { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1 } .page { fill: #0d1117 } .title { fill: #f0f6fc } .grid { stroke: #3d444d } .goal { stroke: #9198a1 }
  .c0 { stroke: #58a6ff } .c1 { stroke: #ffa657 } .c2 { stroke: #d2a8ff } .c3 { stroke: #b1bac4 }
  .c0.dot, .c0.label { fill: #58a6ff } .c1.dot, .c1.label { fill: #ffa657 } .c2.dot, .c2.label { fill: #d2a8ff } .c3.dot, .c3.label { fill: #b1bac4 }
}
</style>
${parts.join('\n')}
</svg>
`;
}

/** Labels are moved down so that none lies on another, or on the goal's. */
function spread<T extends { at: number }>(labels: readonly T[], taken: number): T[] {
  const placed: number[] = [taken];
  return [...labels]
    .sort((a, b) => a.at - b.at)
    .map((label) => {
      let at = label.at;
      while (placed.some((other) => Math.abs(other - at) < 15)) at++;
      placed.push(at);
      return { ...label, at };
    });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
