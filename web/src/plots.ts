/* A bundle of its own, loaded by ui/plot.tsx: only who looks at a plot fetches it. */
import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from "chart.js";
import type { DayPoint } from "./ui/plot_points";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Legend, Tooltip);

/* Returns what removes it. colors: answered, abandoned, texts, lines. */
function draw(canvas: HTMLCanvasElement, points: DayPoint[], names: string[], colors: string[]): () => void {
  const chart = new Chart(canvas, {
    type: "bar",
    data: {
      labels: points.map((p) => p.label),
      datasets: [
        { label: names[0], data: points.map((p) => p.answered), backgroundColor: colors[0], stack: "calls" },
        { label: names[1], data: points.map((p) => p.lost), backgroundColor: colors[1], stack: "calls" },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: { legend: { labels: { color: colors[2], boxWidth: 12 } } },
      scales: {
        x: { stacked: true, grid: { display: false }, ticks: { color: colors[2] } },
        y: { stacked: true, beginAtZero: true, grid: { color: colors[3] }, ticks: { color: colors[2], precision: 0 } },
      },
    },
  });
  return () => chart.destroy();
}

(window as any).ctibusPlots = { draw };
