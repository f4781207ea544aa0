/* Queues: who waits, who answers, and the figures of the day. */
import { useEffect, useState } from "react";
import { t } from "../i18n";
import { duration, memberState, nameOf, truth } from "../model";
import type { Session } from "../session";
import type { Obj } from "../store";
import { useList, useSession, useSetting, useStats } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Dialog, Empty, Face, IconButton, Item, Menu, Timer } from "../ui/parts";
import { DayPlot } from "../ui/plot";
import { REASONS, reasonShown, reasonStored } from "./agentcontrol";
import { listenItems } from "./listen";

const REFRESH_MS = 15000;

export function queueName(q: Obj): string {
  return String(q.displayname || q.name || q.id);
}

/* The callers of a queue, the first one first. */
export function waiting(session: Session, q: Obj): Obj[] {
  return (q.incalls ?? []).map((id: string) => session.store.get("channels", q.ipbx + "/" + id)).filter(Boolean);
}

export function membersOf(session: Session, q: Obj): Obj[] {
  return session.store.all("queuemembers").filter((m) => m.ipbx === q.ipbx && m.queue_name === q.name);
}

export function agentOf(session: Session, member: Obj): Obj | undefined {
  const number = /^Agent\/(.*)$/.exec(String(member.interface))?.[1];
  return number ? session.store.all("agents").find((a) => a.ipbx === member.ipbx && String(a.number) === number) : undefined;
}

export function memberPhone(session: Session, member: Obj): Obj | undefined {
  return session.store.all("phones").find((p) => p.ipbx === member.ipbx && String(p.identity).toLowerCase() === String(member.interface).toLowerCase());
}

export function memberName(session: Session, member: Obj): string {
  const agent = agentOf(session, member);
  if (agent) return [agent.firstname, agent.lastname].filter(Boolean).join(" ") || String(agent.number);
  const phone = memberPhone(session, member);
  const user = phone && session.store.get("users", phone.ipbx + "/" + phone.iduserfeatures);
  return nameOf(user) || String(member.interface);
}

function memberTarget(session: Session, member: Obj): string {
  const agent = agentOf(session, member);
  if (agent) return "agent:" + agent.key;
  const phone = memberPhone(session, member);
  return phone ? "phone:" + phone.key : "";
}

/* ---- figures of the day ---- */

export interface DayFigures {
  offered: number;
  answered: number;
  abandoned: number;
  level: number | null; // percent answered in time
  longest: number | null;
}

function secondsToday(session: Session): number {
  const now = new Date(session.now() * 1000);
  return Math.max(1, Math.floor((now.getTime() - new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()) / 1000));
}

const figure = (v: any) => (v === "" || v == null ? null : Number(v));

export function useDay(queues: Obj[]): Record<string, DayFigures> {
  const session = useSession();
  const [all, set] = useState<Record<string, DayFigures>>({});
  const ids = queues.map((q) => q.id).join(" ");
  useEffect(() => {
    if (!session.can("getqueuesstats") || !ids) return;
    let alive = true;
    const ask = () => {
      const window = String(secondsToday(session));
      const on = Object.fromEntries(ids.split(" ").map((id) => [id, { window, xqos: "20" }]));
      session.connection.ask("getqueuesstats", { on }).then((m) => {
        if (!alive) return;
        set(Object.fromEntries(Object.entries<any>(m.stats ?? {}).map(([id, s]) => [id, {
          offered: Number(s["Xivo-Join"] ?? 0), answered: Number(s["Xivo-Link"] ?? 0), abandoned: Number(s["Xivo-Lost"] ?? 0),
          level: figure(s["Xivo-Qos"]), longest: figure(s["Xivo-Holdtime-max"]),
        }])));
      }, () => {});
    };
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    return () => {
      alive = false;
      clearInterval(timer);
    };
  }, [ids, session]);
  return all;
}

/* ---- the view ---- */

export function Queues() {
  const session = useSession();
  const queues = useList("queues");
  useList("queuemembers");
  useList("channels");
  useList("agents");
  const stats = useStats();
  const [chosen, choose] = useSetting("queue", "");
  const day = useDay(queues);
  const sorted = [...queues].sort((a, b) => queueName(a).localeCompare(queueName(b)));
  const shown = sorted.find((q) => q.key === chosen) ?? sorted[0];
  if (!shown) return <Empty icon="queue" text={t("queues.none")} />;
  return (
    <section className="view queues">
      <div className="bar"><h1>{t("nav.queues")} <small>{queues.length}</small></h1></div>
      <div className="queue-tiles" role="tablist" aria-label={t("nav.queues")}>
        {sorted.map((q) => {
          const calls = waiting(session, q);
          const s = stats[q.id] ?? {};
          return (
            <button type="button" role="tab" key={q.key} aria-selected={q === shown} className={"tile" + (calls.length ? " waits" : "")} onClick={() => choose(q.key)}>
              <strong dir="auto">{queueName(q)}</strong><span className="tile-number">{q.number}</span>
              <span className="tile-figure">{calls.length}<small>{t("queue.waiting")}</small></span>
              <span className="tile-figure">{s["Xivo-AvailableAgents"] ?? "–"}<small>{t("queue.available")}</small></span>
              <span className="tile-figure">{calls.length ? <Timer since={Number(calls[0].waiting_since ?? calls[0].timestamp ?? 0)} limit={session.limits().waitBad} /> : "–"}<small>{t("queue.longest")}</small></span>
            </button>
          );
        })}
      </div>
      <QueueDetail queue={shown} day={day[shown.id]} />
    </section>
  );
}

function QueueDetail({ queue, day }: { queue: Obj; day?: DayFigures }) {
  const session = useSession();
  const [adding, setAdding] = useState(false);
  const calls = waiting(session, queue);
  const members = membersOf(session, queue).sort((a, b) => Number(a.penalty) - Number(b.penalty) || memberName(session, a).localeCompare(memberName(session, b)));
  return (
    <div className="queue-detail">
      <div className="panel">
        <h2>{t("queue.callers")} <small>{calls.length}</small></h2>
        {calls.length === 0 ? <p className="hint">{t("queue.nobody")}</p> : (
          <ol className="rows">
            {calls.map((c, i) => (
              <li key={c.key} className="row">
                <b className="place">{i + 1}</b>
                <span className="row-name" dir="auto">{String(c.callerid_name || c.thisdisplay || c.callerid_num || t("call.unknown"))}<small>{c.callerid_name ? c.callerid_num : ""}</small></span>
                <Timer since={Number(c.waiting_since ?? c.timestamp ?? 0)} limit={session.limits().waitBad} />
                {session.canCommand("intercept") && <IconButton icon="phone" kind="good" label={t("queue.take")} onClick={() => session.pickUp(c.key)} />}
                <Menu label={t("more")} items={() => callerItems(session, c, queue)} />
              </li>
            ))}
          </ol>
        )}
      </div>
      <div className="panel">
        <h2>{t("queue.members")} <small>{members.length}</small>
          {session.canCommand("queueadd") && <IconButton icon="plus" label={t("queue.add")} onClick={() => setAdding(true)} />}</h2>
        {members.length === 0 ? <p className="hint">{t("queue.nomembers")}</p> : (
          <ul className="rows">{members.map((m) => <Member key={m.key} member={m} queue={queue} />)}</ul>
        )}
      </div>
      <div className="panel figures">
        <h2>{t("queue.today")}</h2>
        <dl>
          <Figure name={t("figure.offered")} value={day?.offered} />
          <Figure name={t("figure.answered")} value={day?.answered} />
          <Figure name={t("figure.abandoned")} value={day?.abandoned} />
          <Figure name={t("figure.level")} value={day?.level == null ? undefined : Math.round(day.level) + " %"} />
          <Figure name={t("figure.longest")} value={day?.longest == null ? undefined : duration(day.longest)} />
        </dl>
        <DayPlot queue={queue.id} />
      </div>
      {adding && <AddMember queue={queue} onClose={() => setAdding(false)} />}
    </div>
  );
}

function Figure({ name, value }: { name: string; value: number | string | undefined }) {
  return <div><dd>{value ?? "–"}</dd><dt>{name}</dt></div>;
}

function callerItems(session: Session, caller: Obj, queue: Obj): (Item | false)[] {
  const others = session.store.all("queues").filter((q) => q.key !== queue.key && q.number);
  return [
    session.canCommand("transfer") && others.length > 0 && { label: t("queue.move") },
    ...(session.canCommand("transfer") ? others.map((q) => ({ label: queueName(q), icon: "transfer", run: () => session.transfer("queue:" + q.key, caller) })) : []),
    session.canCommand("hangup") && { label: t("hangup"), icon: "hangup", danger: true, run: () => session.hangup(caller) },
  ];
}

function Member({ member, queue }: { member: Obj; queue: Obj }) {
  const session = useSession();
  const agent = agentOf(session, member);
  const name = memberName(session, member);
  const state = memberState(member, agent);
  const paused = truth(member.paused);
  const since = paused && member.paused_since ? Number(member.paused_since) : Number(agent?.availability_since ?? 0);
  const who = memberTarget(session, member);
  return (
    <li className={"row member-" + state}>
      <Face name={name} lamp={{ idle: "idle", ringing: "ringing", busy: "busy", paused: "hold", wrapup: "hold", offline: "offline" }[state]} size={32} />
      <span className="row-name" dir="auto">{name}<small>{t("member.state." + state)}{paused && member.reason ? ` · ${reasonShown(member.reason)}` : ""} <Timer since={since} /></small></span>
      <span className="row-figure" title={t("member.calls")}><Icon name="phone" size={14} /> {member.callstaken ?? 0}</span>
      {who && session.canCommand("queuepause") && (
        <IconButton icon={paused ? "play" : "pause"} label={t(paused ? "agent.unpause" : "member.pause")} pressed={paused} onClick={() => session.pause(who, queue.key, !paused)} />
      )}
      <Menu label={t("menu.of", { name })} items={() => [
        !!who && session.canCommand("queuepause") && !paused && { label: t("member.pause") },
        ...(who && session.canCommand("queuepause") && !paused ? REASONS.map((r) => ({ label: t("reason." + r), icon: "pause", run: () => session.pause(who, queue.key, true, reasonStored(r)) })) : []),
        ...(agent ? listenItems(session, agent, state === "busy") : []),
        !!who && session.canCommand("queueremove") && member.membership !== "static" && { label: t("queue.remove"), icon: "close", danger: true, run: () => session.command("queueremove", { member: who, queue: "queue:" + queue.key }) },
        !!agent && session.canCommand("agentlogout") && { label: t("agent.logout"), icon: "out", danger: true, run: () => session.command("agentlogout", { agentids: "agent:" + agent.key }) },
      ]} />
    </li>
  );
}

function AddMember({ queue, onClose }: { queue: Obj; onClose: () => void }) {
  const session = useSession();
  const [text, setText] = useState("");
  const there = new Set(membersOf(session, queue).map((m) => memberTarget(session, m)));
  const agents = session.store.all("agents").map((a) => ({ key: "agent:" + a.key, name: [a.firstname, a.lastname].filter(Boolean).join(" "), detail: t("agent") + " " + a.number }));
  const users = session.store.all("users").map((u) => session.store.card(u.key)).filter((c) => c?.phone).map((c) => ({ key: "phone:" + c!.phone, name: c!.name, detail: c!.number }));
  const found = [...agents, ...users].filter((x) => !there.has(x.key) && (x.name + " " + x.detail).toLowerCase().includes(text.toLowerCase())).slice(0, 50);
  return (
    <Dialog title={t("queue.add.to", { queue: queueName(queue) })} onClose={onClose}>
      <input type="search" autoFocus value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
      <ul className="rows scroll">
        {found.map((x) => (
          <li key={x.key}><button type="button" className="row choose" onClick={() => { session.command("queueadd", { member: x.key, queue: "queue:" + queue.key }); onClose(); }}>
            <Face name={x.name} size={30} /><span className="row-name" dir="auto">{x.name}<small>{x.detail}</small></span></button></li>
        ))}
      </ul>
    </Dialog>
  );
}
