/* Calls of the past, the own ones and those of others that the profile permits, with call back. */
import { useCallback, useEffect, useState } from "react";
import { day, t, time } from "../i18n";
import { duration, isNumber, nameOf } from "../model";
import type { Message } from "../protocol";
import { errorText } from "../session";
import { useMyChannels, useSession } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Empty, IconButton } from "../ui/parts";

type Direction = "" | "sent" | "answered" | "missed";
const DIRECTIONS: Direction[] = ["", "missed", "answered", "sent"];
const PAGE = 100;

interface Call {
  id: string;
  when: number;
  duration: number;
  direction: Direction;
  name: string;
  number: string;
  queue: string;
  by: string;
  elsewhere: boolean; // somebody else took it
  recorded: boolean;
  user: string; // id of whose call it is, or empty
}

/* Of the present form, or of that of older servers. */
export function readCalls(m: Message): Call[] {
  if (Array.isArray(m.calls))
    return m.calls.map((c: any, i: number) => ({
      id: String(c.id ?? i), when: Number(c.when ?? 0), duration: Number(c.duration ?? 0), direction: c.direction ?? "", name: String(c.name ?? ""),
      number: String(c.number ?? ""), queue: String(c.queue ?? ""), by: c.direction === "sent" ? "" : String(c.answered_by ?? ""), elsewhere: c.elsewhere === true || (c.direction === "missed" && !!c.answered_by),
      recorded: c.recording === true, user: String(c.user ?? ""),
    }));
  const modes: Direction[] = ["sent", "answered", "missed"];
  return (m.history ?? []).map((c: any, i: number) => ({
    id: c.calldate + i, when: new Date(c.calldate).getTime() / 1000, duration: Number(c.duration ?? 0), direction: modes[Number(c.mode)] ?? "",
    name: String(c.name ?? ""), number: String(c.extension ?? ""), queue: "", by: "", elsewhere: false, recorded: false, user: "",
  }));
}

/* Seconds since 1970 of the first moment of a day "2026-03-31" here, and of days after it; NaN: it is none. */
export function dayStart(date: string, after = 0): number {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
  return m ? new Date(Number(m[1]), Number(m[2]) - 1, Number(m[3]) + after).getTime() / 1000 : NaN;
}

/* What is asked for: both days are in it. */
export function period(from: string, to: string): { from?: number; to?: number } {
  const first = dayStart(from);
  const behind = dayStart(to, 1);
  return { ...(first >= 0 ? { from: first } : {}), ...(behind >= 0 ? { to: behind - 0.001 } : {}) };
}

export function History() {
  const session = useSession();
  const [direction, setDirection] = useState<Direction>("");
  const [text, setText] = useState("");
  const [scope, setScope] = useState("own");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const scopes = session.histories();
  const [calls, setCalls] = useState<Call[] | null>(null);
  const [next, setNext] = useState<any>(null);
  const ended = useMyChannels().length;
  const ask = useCallback((cursor: any) => session.connection.ask("history", {
    limit: PAGE, size: PAGE, ...(cursor ? { cursor } : {}), ...(direction ? { direction, mode: ["sent", "answered", "missed"].indexOf(direction) } : {}), ...(text.trim() ? { text: text.trim() } : {}),
    ...period(from, to), ...(scope !== "own" ? { scope } : {}),
  }), [session, direction, text, scope, from, to]);
  useEffect(() => {
    let alive = true;
    const timer = setTimeout(() => ask(null).then((m) => {
      if (!alive) return;
      setCalls(readCalls(m));
      setNext(m.next ?? null);
    }, (e) => alive && e.reason !== "lost" && session.toast(errorText(e.reason), true)), text ? 250 : 0);
    return () => {
      alive = false;
      clearTimeout(timer);
    };
  }, [ask, ended, text]);
  const more = () => ask(next).then((m) => {
    setCalls([...(calls ?? []), ...readCalls(m)]);
    setNext(m.next ?? null);
  }, () => {});
  const wanted = calls ?? [];
  const whose = (c: Call) => scope === "group" && c.user && session.ipbx + "/" + c.user !== session.user ? nameOf(session.store.get("users", session.ipbx + "/" + c.user)) : "";
  let last = "";
  return (
    <section className="view history">
      <div className="bar"><h1>{t("nav.history")}</h1>
        <input className="filter" type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
        <div className="tabs" role="group" aria-label={t("people.show")}>
          {DIRECTIONS.map((d) => <button type="button" key={d} aria-pressed={direction === d} onClick={() => setDirection(d)}>{t("history." + (d || "all"))}</button>)}
        </div>
        {scopes.length > 0 && (
          <select className="group" value={scope} onChange={(e) => { setScope(e.target.value); setCalls(null); }} aria-label={t("history.whose")}>
            {["own", ...scopes].map((s) => <option key={s} value={s}>{t("history.of." + s)}</option>)}
          </select>
        )}
        <span className="period">
          <label>{t("history.from")} <input type="date" value={from} max={to} onChange={(e) => setFrom(e.target.value)} /></label>
          <label>{t("history.to")} <input type="date" value={to} min={from} onChange={(e) => setTo(e.target.value)} /></label>
        </span>
      </div>
      {calls === null ? <p className="hint" role="status">{t("loading")}</p> : wanted.length === 0 ? <Empty icon="history" text={t("history.none")} /> : (
        <ul className="rows scroll">
          {wanted.map((c) => {
            const head = day(c.when);
            const first = head !== last;
            last = head;
            return (
              <li key={c.id}>
                {first && <h3>{head}</h3>}
                <div className={"row call-" + (c.elsewhere ? "elsewhere" : c.direction)}>
                  <span className="direction" title={t("history." + (c.direction || "all"))}><Icon name={c.direction === "sent" ? "outgoing" : c.direction === "missed" && !c.elsewhere ? "missed" : "incoming"} /></span>
                  <span className="row-name" dir="auto">{c.name || c.number || t("call.unknown")}<small>{c.name ? c.number : ""}{c.queue && ` · ${c.queue}`}{whose(c) && ` · ${whose(c)}`}{c.by && ` · ${t("history.by", { name: c.by })}`}</small></span>
                  {c.recorded && <span className="recording" title={t("history.recorded")} aria-label={t("history.recorded")} role="img"><Icon name="record" size={14} /></span>}
                  <span className="row-time">{time(c.when)}<small>{c.duration > 0 ? duration(c.duration) : ""}</small></span>
                  {isNumber(c.number) && session.canCommand("dial") && <IconButton icon="phone" kind="dial" label={t("history.back", { name: c.name || c.number })} onClick={() => session.dial(c.number, c.name)} />}
                </div>
              </li>
            );
          })}
          {next && <li><button type="button" className="button plain wide" onClick={more}>{t("more")}</button></li>}
        </ul>
      )}
    </section>
  );
}
