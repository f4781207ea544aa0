/* Agents: a supervisor's table, who is doing what since when. */
import { useEffect, useState } from "react";
import { t } from "../i18n";
import { agentState, duration, fold, nameOf, partyOf, foremost, AgentState } from "../model";
import type { Message } from "../protocol";
import type { Session } from "../session";
import type { Obj } from "../store";
import { useLamps, useList, useSession } from "../ui/hooks";
import { Empty, Face, IconButton, Menu, Timer } from "../ui/parts";
import { REASONS, reasonShown, reasonStored } from "./agentcontrol";
import { listenItems } from "./listen";
import { queueName } from "./queues";

const ORDER: AgentState[] = ["oncall", "wrapup", "paused", "available", "logged_out"];
const LAMPS: Record<AgentState, string> = { available: "idle", oncall: "busy", wrapup: "hold", paused: "hold", logged_out: "offline" };

function membersOfAgent(session: Session, agent: Obj): Obj[] {
  return session.store.all("queuemembers").filter((m) => m.ipbx === agent.ipbx && m.interface === "Agent/" + agent.number);
}

/* With whom the agent talks: at the phone that is logged in from. */
function partner(session: Session, agent: Obj): string {
  const phone = session.store.all("phones").find((p) => p.ipbx === agent.ipbx && p.number && p.number === agent.phonenumber);
  const channels = (phone?.channels ?? []).map((id: string) => session.store.get("channels", phone!.ipbx + "/" + id)).filter(Boolean);
  const channel = foremost(channels);
  if (!channel) return "";
  const p = partyOf(channel);
  return [p.name, p.number].filter(Boolean).join(" · ");
}

export interface Day {
  calls: number;
  talked: number; // seconds
}

const DAY_MS = 60000; // the figures of the day are asked for again

/* How often the number of those who talk went down. */
function useCallsEnded(talking: number): number {
  const [seen, set] = useState({ talking, ended: 0 });
  if (seen.talking !== talking) set({ talking, ended: seen.ended + (talking < seen.talking ? 1 : 0) });
  return seen.ended;
}

/* By key of the agent. */
export function readDays(ipbx: string, m: Message): Map<string, Day> {
  return new Map(((m.agents ?? []) as any[]).map((a) => [ipbx + "/" + a.id, { calls: Number(a.calls ?? 0), talked: Number(a.talked ?? 0) }]));
}

/* What the agents have done today, null where the profile does not permit to know it; asked for again as calls end (`ended`), at most once a second. */
function useDays(ended: number): Map<string, Day> | null {
  const session = useSession();
  const [days, set] = useState<Map<string, Day> | null>(null);
  useEffect(() => {
    if (!session.can("getagentsstats")) return;
    const ask = () => {
      const midnight = new Date();
      midnight.setHours(0, 0, 0, 0);
      session.connection.ask("getagentsstats", { from: midnight.getTime() / 1000 }).then((m) => set(readDays(session.ipbx, m)), () => {});
    };
    const soon = window.setTimeout(ask, ended ? 1000 : 0);
    const timer = window.setInterval(ask, DAY_MS);
    return () => {
      window.clearTimeout(soon);
      window.clearInterval(timer);
    };
  }, [session, ended]);
  return days;
}

export function Agents() {
  const session = useSession();
  const agents = useList("agents");
  useList("queuemembers");
  useLamps();
  const [text, setText] = useState("");
  const rows = agents.map((a) => {
    const members = membersOfAgent(session, a);
    return { agent: a, members, state: agentState(a, members), name: [a.firstname, a.lastname].filter(Boolean).join(" ") || nameOf(a) };
  }).filter((r) => fold(r.name + " " + r.agent.number).includes(fold(text)))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.name.localeCompare(b.name));
  const days = useDays(useCallsEnded(rows.filter((r) => r.state === "oncall").length));
  return (
    <section className="view agents">
      <div className="bar"><h1>{t("nav.agents")} <small>{rows.length}</small></h1>
        <input className="filter" type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
        <div className="counts">{ORDER.map((s) => <span key={s} className={"chip agent-" + s}>{rows.filter((r) => r.state === s).length} {t("agent.state." + s)}</span>)}</div>
      </div>
      {rows.length === 0 ? <Empty icon="agent" text={t("agents.none")} /> : (
        <div className="scroll">
          <table>
            <thead><tr><th>{t("agent")}</th><th>{t("agents.state")}</th><th>{t("agents.since")}</th><th>{t("agents.with")}</th><th>{t("nav.queues")}</th><th className="number">{t(days ? "agents.calls" : "member.calls")}</th>{days && <th className="number">{t("agents.talked")}</th>}<th aria-label={t("more")} /></tr></thead>
            <tbody>{rows.map((r) => <AgentRow key={r.agent.key} {...r} days={days} />)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function AgentRow({ agent, members, state, name, days }: { agent: Obj; members: Obj[]; state: AgentState; name: string; days: Map<string, Day> | null }) {
  const session = useSession();
  const queues = (agent.queues ?? []).map((id: string) => session.store.get("queues", agent.ipbx + "/" + id)).filter(Boolean).map(queueName);
  const reason = members.find((m) => m.reason)?.reason;
  const target = "agent:" + agent.key;
  const paused = state === "paused";
  return (
    <tr className={"agent-row agent-" + state}>
      <td><div className="cell"><Face name={name} lamp={LAMPS[state]} size={32} /><span className="row-name" dir="auto">{name}<small>{agent.number}{agent.phonenumber && state !== "logged_out" ? ` · ${agent.phonenumber}` : ""}</small></span></div></td>
      <td>{t("agent.state." + state)}{paused && reason ? <small> · {reasonShown(reason)}</small> : ""}</td>
      <td>{state !== "logged_out" && <Timer since={Number(agent.availability_since ?? 0)} />}</td>
      <td dir="auto">{state === "oncall" ? partner(session, agent) : ""}</td>
      <td>{queues.join(", ")}</td>
      <td className="number">{days ? days.get(agent.key)?.calls ?? 0 : members.reduce((n, m) => n + Number(m.callstaken ?? 0), 0)}</td>
      {days && <td className="number">{duration(days.get(agent.key)?.talked ?? 0)}</td>}
      <td className="tools">
        {state === "oncall" && session.canCommand("listen") && <IconButton icon="ear" label={t("listen")} onClick={() => session.listen(agent, true)} />}
        <Menu label={t("menu.of", { name })} items={() => [
          state === "logged_out" && session.canCommand("agentlogin") && { label: t("agent.login"), icon: "agent", run: () => session.command("agentlogin", { agentids: target }) },
          paused && session.canCommand("queuepause") && { label: t("agent.unpause"), icon: "play", run: () => session.pause(target, null, false) },
          ...(!paused && state !== "logged_out" && session.canCommand("queuepause") ? REASONS.map((r) => ({ label: t("agent.pause", { reason: t("reason." + r) }), icon: "pause", run: () => session.pause(target, null, true, reasonStored(r)) })) : []),
          ...listenItems(session, agent, state === "oncall"),
          session.canCommand("listen") && state !== "logged_out" && { label: t("listen.stop"), icon: "ear", run: () => session.listen(agent, false) },
          state !== "logged_out" && session.canCommand("agentlogout") && { label: t("agent.logout"), icon: "out", danger: true, run: () => session.command("agentlogout", { agentids: target }) },
        ]} />
      </td>
    </tr>
  );
}
