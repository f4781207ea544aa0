/* The own calls of the past, with call back. */
import { useCallback, useEffect, useState } from "react";
import { day, t, time } from "../i18n";
import { duration, isNumber } from "../model";
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
}

/* Of the present form, or of that of older servers. */
export function readCalls(m: Message): Call[] {
  if (Array.isArray(m.calls))
    return m.calls.map((c: any, i: number) => ({
      id: String(c.id ?? i), when: Number(c.when ?? 0), duration: Number(c.duration ?? 0), direction: c.direction ?? "", name: String(c.name ?? ""),
      number: String(c.number ?? ""), queue: String(c.queue ?? ""), by: c.direction === "sent" ? "" : String(c.answered_by ?? ""), elsewhere: c.elsewhere === true || (c.direction === "missed" && !!c.answered_by),
    }));
  const modes: Direction[] = ["sent", "answered", "missed"];
  return (m.history ?? []).map((c: any, i: number) => ({
    id: c.calldate + i, when: new Date(c.calldate).getTime() / 1000, duration: Number(c.duration ?? 0), direction: modes[Number(c.mode)] ?? "",
    name: String(c.name ?? ""), number: String(c.extension ?? ""), queue: "", by: "", elsewhere: false,
  }));
}

export function History() {
  const session = useSession();
  const [direction, setDirection] = useState<Direction>("");
  const [text, setText] = useState("");
  const [calls, setCalls] = useState<Call[] | null>(null);
  const [next, setNext] = useState<any>(null);
  const ended = useMyChannels().length;
  const ask = useCallback((cursor: any) => session.connection.ask("history", {
    limit: PAGE, size: PAGE, ...(cursor ? { cursor } : {}), ...(direction ? { direction, mode: ["sent", "answered", "missed"].indexOf(direction) } : {}), ...(text.trim() ? { text: text.trim() } : {}),
  }), [session, direction, text]);
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
  let last = "";
  return (
    <section className="view history">
      <div className="bar"><h1>{t("nav.history")}</h1>
        <input className="filter" type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder={t("people.filter")} aria-label={t("people.filter")} />
        <div className="tabs" role="group" aria-label={t("people.show")}>
          {DIRECTIONS.map((d) => <button type="button" key={d} aria-pressed={direction === d} onClick={() => setDirection(d)}>{t("history." + (d || "all"))}</button>)}
        </div>
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
                  <span className="row-name" dir="auto">{c.name || c.number || t("call.unknown")}<small>{c.name ? c.number : ""}{c.queue && ` · ${c.queue}`}{c.by && ` · ${t("history.by", { name: c.by })}`}</small></span>
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
