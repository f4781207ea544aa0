/* For administrators: is everything there, who is logged in, what does not fit together. */
import { useCallback, useEffect, useRef, useState } from "react";
import { day, t, time } from "../i18n";
import { fold } from "../model";
import type { Message } from "../protocol";
import { useList, useSession } from "../ui/hooks";
import { LampMark } from "../ui/icons";
import { Empty, IconButton } from "../ui/parts";
import { Logo } from "./logo";

const REFRESH_MS = 3000;

/* State, and all services that were seen since the page was loaded: one that has gone stays in the list. */
function useSeen(services: any[], stateUp: boolean): { service: string; instance: string; here: boolean }[] {
  const seen = useRef(new Map<string, { service: string; instance: string }>());
  const now = new Set(services.map((s) => `${s.service} ${s.instance}`));
  for (const s of services) seen.current.set(`${s.service} ${s.instance}`, { service: String(s.service), instance: String(s.instance) });
  const rows = [...seen.current].map(([key, s]) => ({ ...s, here: now.has(key) })).sort((a, b) => a.service.localeCompare(b.service));
  return [{ service: "state", instance: "", here: stateUp }, ...rows];
}

function ms(value: any): string {
  const n = Number(value);
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;
}

export function Admin() {
  const session = useSession();
  const ipbxes = useList("ipbx");
  const [status, setStatus] = useState<Message | null>(null);
  const [text, setText] = useState("");
  const last = useRef<{ at: number; changes: number } | null>(null);
  const [rate, setRate] = useState<number | null>(null);
  const load = useCallback(() => session.connection.ask("admin_status").then((m) => {
    const now = { at: Date.now(), changes: Number(m.figures?.changes ?? 0) };
    if (last.current && now.at > last.current.at) setRate(((now.changes - last.current.changes) * 1000) / (now.at - last.current.at));
    last.current = now;
    setStatus(m);
  }, () => {}), [session]);
  useEffect(() => {
    load();
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, [load]);
  if (!session.can("admin_status")) return <main className="admin"><Empty icon="lock" text={t("admin.denied")} /></main>;
  const services = useSeen(status?.services ?? [], session.stateUp && session.phase === "live");
  const sessions: any[] = (status?.sessions ?? []).filter((s: any) => fold(`${s.name} ${s.address} ${s.user}`).includes(fold(text)));
  const strange: any[] = status?.unknown_phones ?? [];
  const unlisted: any[] = status?.unlisted ?? [];
  const latency = status?.latency;
  return (
    <main className={"admin" + (session.phase !== "live" ? " stale" : "")}>
      <header className="top"><a className="brand" href="/" aria-label="ctibus"><Logo size={30} /></a><h1>{t("nav.admin")}</h1>
        <IconButton icon="history" label={t("admin.reload")} text onClick={() => session.send("admin_reload").then((m) => m && session.toast(t("admin.reloaded")))} /></header>
      {session.phase !== "live" && <div className="banner" role="alert">{t("reconnecting")}</div>}
      <div className="panels">
        <section className="panel"><h2>{t("admin.links")}</h2>
          <ul className="rows">{ipbxes.map((i) => (
            <li key={i.key} className="row"><LampMark lamp={i.link === "up" ? "idle" : i.link === "resync" ? "hold" : "busy"} />
              <span className="row-name">{i.id}<small>{t("admin.link." + i.link)}{i.since ? ` · ${day(i.since)} ${time(i.since)}` : ""}{i.remote ? ` · ${t("admin.remote")}` : ""}</small></span></li>
          ))}</ul></section>
        <section className="panel"><h2>{t("admin.services")} <small>{services.length}</small></h2>
          <ul className="rows">{services.map((s) => (
            <li key={s.service + s.instance} className="row"><LampMark lamp={s.here ? "idle" : "busy"} />
              <span className="row-name">{s.service}<small>{s.instance}{s.here ? "" : ` · ${t("admin.gone")}`}</small></span></li>
          ))}</ul></section>
        <section className="panel"><h2>{t("admin.figures")}</h2>
          <dl className="admin-figures">
            {Object.entries<any>(status?.figures ?? {}).map(([name, value]) => <div key={name}><dd>{String(value)}</dd><dt>{t("admin.figure." + name)}</dt></div>)}
            {latency?.changes > 0 && <div><dd>{ms(latency.mean_ms)}</dd><dt>{t("admin.latency.mean")}</dt></div>}
            {latency?.changes > 0 && <div><dd>{ms(latency.worst_ms)}</dd><dt>{t("admin.latency.worst")}</dt></div>}
            {rate !== null && <div><dd>{rate.toFixed(1)}</dd><dt>{t("admin.figure.rate")}</dt></div>}
          </dl></section>
        <section className="panel"><h2>{t("admin.unknown")} <small>{strange.length}</small></h2>
          {strange.length === 0 ? <p className="hint">{t("admin.unknown.none")}</p> : <ul className="rows scroll">{strange.map((p) => <li key={p.id} className="row"><span className="row-name">{p.identity}<small>{[p.number, p.name].filter(Boolean).join(" · ")}</small></span></li>)}</ul>}</section>
        <section className="panel"><h2>{t("admin.unlisted")} <small>{unlisted.length}{status?.unlisted_more ? "+" : ""}</small></h2>
          {unlisted.length === 0 ? <p className="hint">{t("admin.unlisted.none")}</p> : <ul className="rows scroll">{unlisted.map((p) => <li key={p.ipbx + p.peer} className="row"><span className="row-name" dir="auto">{p.peer}<small>{p.ipbx}</small></span></li>)}</ul>}</section>
        <section className="panel wide"><h2>{t("admin.sessions")} <small>{sessions.length}</small></h2>
          <input className="filter" type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
          <div className="scroll"><table>
            <thead><tr><th>{t("admin.user")}</th><th>{t("presence")}</th><th>{t("admin.address")}</th><th>{t("agents.since")}</th><th aria-label={t("more")} /></tr></thead>
            <tbody>{sessions.map((s) => (
              <tr key={s.session}><td dir="auto">{s.name || s.user}</td><td>{session.presence(s.presence).name}</td><td>{s.address}</td><td>{day(s.since)} {time(s.since)}</td>
                <td className="tools"><IconButton icon="out" kind="bad" label={t("admin.kick", { name: s.name || s.user })} onClick={() => session.send("admin_kick", { who: s.session }).then(load)} /></td></tr>
            ))}</tbody></table></div></section>
      </div>
    </main>
  );
}
