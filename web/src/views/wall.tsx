/* A wallboard: all queues in large figures, for a screen that nobody touches. */
import { language, t } from "../i18n";
import { duration, moodOf } from "../model";
import { useList, useSeconds, useSession, useStats } from "../ui/hooks";
import { Empty, Timer } from "../ui/parts";
import { DayPlot } from "../ui/plot";
import { queueName, useDay, waiting } from "./queues";

export function Wall() {
  const session = useSession();
  const queues = [...useList("queues")].sort((a, b) => queueName(a).localeCompare(queueName(b)));
  useList("channels");
  useSeconds();
  const stats = useStats();
  const day = useDay(queues);
  const limits = session.limits();
  if (queues.length === 0) return <main className="wall"><Empty icon="queue" text={t("queues.none")} /></main>;
  return (
    <main className={"wall" + (session.phase !== "live" ? " stale" : "")}>
      <header><h1>{new Date(session.now() * 1000).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" })}</h1>{session.phase !== "live" && <div className="banner" role="alert">{t("reconnecting")}</div>}</header>
      <div className="wall-queues">
        {queues.map((q) => {
          const calls = waiting(session, q);
          const since = Number(calls[0]?.waiting_since ?? calls[0]?.timestamp ?? 0);
          const d = day[q.id];
          const s = stats[q.id] ?? {};
          return (
            <article key={q.key} className={"wall-queue mood-" + moodOf(d?.level, since ? session.now() - since : 0, limits)}>
              <h2 dir="auto">{queueName(q)}</h2>
              <div className="wall-large"><span>{calls.length}</span><small>{t("queue.waiting")}</small></div>
              <div className="wall-large"><span>{since ? <Timer since={since} limit={limits.waitBad} /> : "–"}</span><small>{t("queue.longest")}</small></div>
              <dl>
                <div><dd>{s["Xivo-AvailableAgents"] ?? "–"}</dd><dt>{t("queue.available")}</dt></div>
                <div><dd>{s["Xivo-TalkingAgents"] ?? "–"}</dd><dt>{t("queue.talking")}</dt></div>
                <div><dd>{s["Xivo-LoggedAgents"] ?? "–"}</dd><dt>{t("queue.logged")}</dt></div>
                <div><dd>{d?.answered ?? "–"}</dd><dt>{t("figure.answered")}</dt></div>
                <div><dd>{d?.abandoned ?? "–"}</dd><dt>{t("figure.abandoned")}</dt></div>
                <div><dd>{d?.level == null ? "–" : Math.round(d.level) + " %"}</dd><dt>{t("figure.level")}</dt></div>
                <div><dd>{d?.longest == null ? "–" : duration(d.longest)}</dd><dt>{t("figure.longest")}</dt></div>
              </dl>
              <DayPlot queue={q.id} />
            </article>
          );
        })}
      </div>
    </main>
  );
}
