/* What a plot of a queue's day shows. */

export interface DayPoint {
  label: string;
  offered: number;
  answered: number;
  lost: number;
}

/* Each half hour is the difference of two windows that end now. */
export function halfHours(windows: { join: number; link: number; lost: number }[], now: number, step: number): DayPoint[] {
  return windows.map((w, i) => {
    const before = windows[i - 1] ?? { join: 0, link: 0, lost: 0 };
    const at = new Date((now - (i + 1) * step) * 1000);
    return {
      label: at.toTimeString().slice(0, 5),
      offered: Math.max(0, w.join - before.join),
      answered: Math.max(0, w.link - before.link),
      lost: Math.max(0, w.lost - before.lost),
    };
  }).reverse();
}
