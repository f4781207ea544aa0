/* Plots of a queue's day. The library for them is only loaded where there is one (plots.ts). */
import { useEffect, useRef } from "react";
import { t } from "../i18n";
import { useSession, useSetting } from "./hooks";
import { DayPoint, halfHours } from "./plot_points";

const HALF_HOURS = 20;
const REFRESH_MS = 60000;

type Draw = (canvas: HTMLCanvasElement, points: DayPoint[], names: string[], colors: string[]) => () => void;

let loading: Promise<Draw> | null = null;

function loadPlots(): Promise<Draw> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/plots.js";
    script.onload = () => resolve((window as any).ctibusPlots.draw);
    script.onerror = () => {
      loading = null;
      reject(new Error("plots.js"));
    };
    document.head.appendChild(script);
  });
  return loading;
}

export function DayPlot({ queue }: { queue: string }) {
  const session = useSession();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [theme] = useSetting("theme", "auto");
  useEffect(() => {
    let alive = true;
    let end: (() => void) | null = null;
    const draw = async () => {
      const step = 1800;
      const windows = await Promise.all(Array.from({ length: HALF_HOURS }, (_, i) =>
        session.connection.ask("getqueuesstats", { on: { [queue]: { window: String((i + 1) * step), xqos: "20" } } }).then((m) => {
          const s = m.stats?.[queue] ?? {};
          return { join: Number(s["Xivo-Join"] ?? 0), link: Number(s["Xivo-Link"] ?? 0), lost: Number(s["Xivo-Lost"] ?? 0) };
        })));
      const plot = await loadPlots();
      if (!alive || !canvas.current) return;
      const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      end?.();
      end = plot(canvas.current, halfHours(windows, session.now(), step), [t("figure.answered"), t("figure.abandoned")], [color("--good"), color("--bad"), color("--muted"), color("--line")]);
    };
    const go = () => draw().catch(() => {});
    go();
    const timer = setInterval(go, REFRESH_MS);
    return () => {
      alive = false;
      clearInterval(timer);
      end?.();
    };
  }, [queue, session, theme]);
  return <div className="plot"><canvas ref={canvas} role="img" aria-label={t("plot.day")} /></div>;
}
