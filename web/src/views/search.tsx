/* Search and dial: colleagues at once, directories after a moment; Enter dials, or transfers while in a call. */
import { useEffect, useMemo, useRef, useState } from "react";
import { t } from "../i18n";
import { Card, fold, isNumber, matches } from "../model";
import { useDismiss, useLamps, useSession } from "../ui/hooks";
import { Face, IconButton } from "../ui/parts";
import { Icon } from "../ui/icons";
import { Person, readPeople } from "./people_rows";

const MOST = 8;
const DIRECTORY_MS = 250;

interface Hit {
  id: string;
  name: string;
  number: string;
  detail: string;
  lamp?: string;
  user?: string;
}

export function Search() {
  const session = useSession();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const [people, setPeople] = useState<Person[]>([]);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useDismiss(box, () => setOpen(false), open);
  useLamps();

  useEffect(() => {
    const focus = (e: KeyboardEvent) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test((e.target as HTMLElement).tagName);
      if ((e.key === "/" && !typing) || ((e.ctrlKey || e.metaKey) && e.key === "k")) {
        e.preventDefault();
        input.current?.focus();
        input.current?.select();
      }
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);

  useEffect(() => {
    setPeople([]);
    if (text.trim().length < 2 || !session.can("people_search")) return;
    let alive = true;
    const timer = setTimeout(() => {
      session.connection.ask("people_search", { pattern: text.trim() }).then((m) => alive && setPeople(readPeople(m)), () => {});
    }, DIRECTORY_MS);
    return () => {
      alive = false;
      clearTimeout(timer);
    };
  }, [text, session]);

  const hits = useMemo(() => find(session, text, people), [session, text, people, session.phase]);
  const call = session.currentCall();
  const run = (hit: Hit | undefined) => {
    const to = hit ? (hit.user ? "user:" + hit.user : hit.number) : text;
    if (!to.trim()) return;
    if (!hit && !isNumber(to)) return session.toast(t("search.none"), true);
    if (call) session.transfer(to, call);
    else session.dial(to, hit?.name ?? "");
    setText("");
    setOpen(false);
    input.current?.blur();
  };
  const keys = (e: React.KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt(Math.min(at + 1, hits.length - 1));
    else if (e.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (e.key === "Enter") run(hits[at]);
    else if (e.key === "Escape") { setOpen(false); input.current?.blur(); }
    else return;
    e.preventDefault();
  };
  const shown = open && text.trim() !== "";
  return (
    <div className="search" ref={box} role="search">
      <Icon name="search" />
      <input ref={input} type="text" role="combobox" aria-expanded={shown} aria-controls="search-hits" aria-autocomplete="list"
        aria-activedescendant={shown && hits[at] ? "hit-" + at : undefined} aria-label={t("search")} placeholder={t(call ? "search.transfer" : "search.hint")}
        value={text} onFocus={() => setOpen(true)} onChange={(e) => { setText(e.target.value); setOpen(true); setAt(0); }} onKeyDown={keys} autoComplete="off" />
      {!text && <kbd aria-hidden="true">/</kbd>}
      {text && isNumber(text) && <IconButton icon={call ? "transfer" : "phone"} kind="good" label={t(call ? "transfer" : "dial")} onClick={() => run(undefined)} />}
      {shown && (
        <div className="hits" id="search-hits" role="listbox" aria-label={t("search")}>
          {hits.map((h, i) => (
            <div key={h.id} id={"hit-" + i} role="option" aria-selected={i === at} className={i === at ? "here" : ""} onPointerEnter={() => setAt(i)} onClick={() => run(h)}>
              <Face name={h.name || h.number} lamp={h.lamp} size={32} />
              <span className="hit-name" dir="auto">{h.name || h.number}</span>
              <span className="hit-detail">{h.detail}</span>
              <Icon name={call ? "transfer" : "phone"} size={16} />
            </div>
          ))}
          {hits.length === 0 && <p className="hint">{t("search.none")}</p>}
        </div>
      )}
    </div>
  );
}

function ofCard(c: Card): Hit {
  return { id: c.key, name: c.name, number: c.number, detail: c.number, lamp: c.lamp, user: c.key };
}

function find(session: ReturnType<typeof useSession>, text: string, people: Person[]): Hit[] {
  if (!text.trim()) return [];
  const starred = new Set((localStorage.getItem("ctibus.favorites") ?? "").split(" "));
  const number: Hit[] = isNumber(text) ? [{ id: "number", name: "", number: text.trim(), detail: t("dial") }] : [];
  const cards = session.store.all("users").map((u) => session.store.card(u.key)!)
    .filter((c) => c && c.key !== session.user && (c.number || c.mobile) && matches(c, text))
    .sort((a, b) => Number(starred.has(b.key)) - Number(starred.has(a.key)) || a.name.localeCompare(b.name)).slice(0, MOST);
  const others = people.filter((p) => !p.user && p.numbers.length > 0)
    .flatMap((p) => p.numbers.map((n) => ({ id: p.source + p.id + n, name: p.name, number: n, detail: [n, p.detail].filter(Boolean).join(" · ") })));
  const places = [
    ...session.store.all("queues").map((q) => ({ id: "queue:" + q.key, name: String(q.displayname || q.name), number: String(q.number ?? ""), kind: t("search.queue") })),
    ...session.store.all("meetmes").map((r) => ({ id: "meetme:" + r.key, name: String(r.name || r.confno), number: String(r.confno ?? ""), kind: t("search.room") })),
  ].filter((p) => p.number && (fold(p.name).includes(fold(text.trim())) || p.number === text.trim()))
    .map((p) => ({ id: p.id, name: p.name, number: p.number, detail: `${p.number} · ${p.kind}` }));
  const exact = cards.filter((c) => c.number === text.trim());
  return exact.length ? [...exact.map(ofCard), ...others].slice(0, MOST) : [...number, ...cards.map(ofCard), ...places, ...others].slice(0, MOST + 2);
}
